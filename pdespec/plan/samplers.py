"""The registry of samplers: `sampler=NAME` in `using`, and the runtime function that fills the unit cube."""

SAMPLERS: dict[str, str] = {
    "sobol": "uniforms",
    "uniform": "pseudo_random",
}
