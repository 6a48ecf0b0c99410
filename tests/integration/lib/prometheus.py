# SPDX-License-Identifier: Apache-2.0
"""Metrics of a server, read by the parser of Prometheus' own client."""

import sys

from services import cache

sys.path.append(str(cache.prometheus_package()))

from prometheus_client import parser  # noqa: E402


class Scrape:
    """All samples of one answer of /metrics."""

    def __init__(self, text):
        self.families = list(parser.text_string_to_metric_families(text))
        self.types = {family.name: family.type for family in self.families}
        self.samples = {}
        for family in self.families:
            assert family.documentation, f"{family.name} has no help"
            assert family.type in ("counter", "gauge", "histogram"), family
            for sample in family.samples:
                key = (sample.name, frozenset(sample.labels.items()))
                assert key not in self.samples, f"twice: {key}"
                self.samples[key] = sample.value

    def value(self, name, **labels):
        return self.samples.get((name, frozenset(labels.items())))

    def labels(self, name):
        """Labels of all samples of that name."""
        return [dict(labels) for found, labels in self.samples if found == name]

    def rising(self):
        """What may never go down: counters, and all of histograms."""
        kinds = {name: kind for name, kind in self.types.items() if kind != "gauge"}
        return {key: value for key, value in self.samples.items()
                if any(key[0].startswith(name) for name in kinds)}


def check_histograms(scrape):
    """Buckets add up, and the last one has them all. Returns: names of those that have samples."""
    found = set()
    for family in scrape.families:
        if family.type != "histogram":
            continue
        series = {}
        for sample in family.samples:
            labels = frozenset((k, v) for k, v in sample.labels.items() if k != "le")
            series.setdefault(labels, []).append(sample)
        if series:
            found.add(family.name)
        for samples in series.values():
            buckets = [(float(s.labels["le"]), s.value) for s in samples if "le" in s.labels]
            counts = [value for _, value in buckets]
            total = [s.value for s in samples if s.name == f"{family.name}_count"]
            assert buckets == sorted(buckets) and counts == sorted(counts), samples
            assert buckets[-1][0] == float("inf") and total == [counts[-1]], samples
    return found
