import metrics
