// SPDX-License-Identifier: Apache-2.0
/** The Prometheus text format (https://prometheus.io/docs/instrumenting/exposition_formats/), version 0.0.4. */
import type { LineCounters, Sample } from './counters.ts';

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly samples: readonly Sample[];
}

interface Gauges {
  readonly logEntries: number;
  readonly openStops: number;
  readonly ready: boolean;
}

export function formatMetrics(counters: LineCounters, gauges: Gauges): string {
  const metrics: readonly Metric[] = [
    counter('witnessmark_units_total', 'Events logged, by outcome.', counters.units.samples()),
    counter('witnessmark_permits_total', 'Permits given.', counters.permits.samples()),
    counter('witnessmark_refusals_total', 'Refusals, logged or counted.', counters.refusals.samples()),
    counter('witnessmark_line_stops_total', 'Line stops opened.', counters.lineStops.samples()),
    counter('witnessmark_entries_total', 'Statements admitted to the log.', counters.entries.samples()),
    gauge('witnessmark_log_entries', 'Entries in the evidence log.', gauges.logEntries),
    gauge('witnessmark_open_line_stops', 'Line stops that wait for a disposition.', gauges.openStops),
    gauge('witnessmark_ready', 'Whether every readiness check passes.', gauges.ready ? 1 : 0),
  ];
  return metrics.map(formatMetric).join('');
}

function counter(name: string, help: string, samples: readonly Sample[]): Metric {
  return { name, help, type: 'counter', samples };
}

function gauge(name: string, help: string, value: number): Metric {
  return { name, help, type: 'gauge', samples: [{ labels: {}, value }] };
}

function formatMetric({ name, help, type, samples }: Metric): string {
  const lines = samples.map(({ labels, value }) => `${name}${formatLabels(labels)} ${value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function formatLabels(labels: Sample['labels']): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escape(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escape(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
