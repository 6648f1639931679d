"""`python -m pdespec` is `pdespec`."""

from __future__ import annotations

import sys

from pdespec.cli import main

sys.exit(main())
