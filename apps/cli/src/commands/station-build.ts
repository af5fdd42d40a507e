// SPDX-License-Identifier: Apache-2.0
import { defineCommand } from '../command.ts';
import {
  stationBuildApproveOptions,
  stationBuildProposeOptions,
  stationDiffOptions,
  stationProveOptions,
  stationRebuildOptions,
  stationSelftestOptions,
  stationVerifyProofOptions,
} from '../options/station-build.ts';

export const stationBuildProposeCommand = defineCommand({
  path: ['station-build', 'propose'],
  summary: 'Measures a station and writes down what it is made of, with a kit to build it again, for a second person.',
  examples: [
    {
      command:
        'witnessmark station-build propose --data site --key sam.pem --approver ben --out builds/7 --reason "flashrom 1.4" --ticket ECO-812',
      note: 'what this station is now',
    },
    {
      command:
        'witnessmark station-build propose --data site --key sam.pem --approver ben --out builds/8 --station S8 --station S9 --tolerate "hardware *" --tolerate "programmers *"',
      note: 'for a group of stations; asks for reason and ticket',
    },
    {
      command: 'witnessmark station-build propose --config station.json --key sam.pem --approver ben --out b --json',
      note: 'for machines',
    },
  ],
  args: [],
  options: stationBuildProposeOptions,
  exits: {
    0: 'proposed; record and kit are written',
    4: 'refused: the people may not, or a file that belongs to it holds a secret',
    6: 'part of the machine cannot be read, or the key does not answer',
  },
  run: async (input) => (await import('../actions/station-build.ts')).stationBuildPropose(input),
});

export const stationBuildApproveCommand = defineCommand({
  path: ['station-build', 'approve'],
  summary: 'Approves a proposed build after showing what changes, and has it logged; from then on it is demanded.',
  examples: [
    { command: 'witnessmark station-build approve builds/7 --data site --key ben.pem', note: 'shows it, then asks' },
    {
      command: 'witnessmark station-build approve builds/7 --data site --key ben.pem --against builds/6 --confirm 9f3c',
      note: 'with the difference to another record',
    },
    {
      command:
        'witnessmark station-build approve builds/7 --line http://127.0.0.1:7300 --trust trusted-root.json --key ben.pem',
      note: 'at a line anywhere',
    },
  ],
  args: [{ name: 'DIR', description: 'the directory that was proposed', required: true, variadic: false }],
  options: stationBuildApproveOptions,
  exits: {
    0: 'it is approved and in the log',
    4: 'refused: the person may not approve it, the kit was changed, or the version is not newer',
    6: 'the line server or the key does not answer',
  },
  run: async (input) => (await import('../actions/station-build.ts')).stationBuildApprove(input),
});

export const stationDiffCommand = defineCommand({
  path: ['station', 'diff'],
  summary: 'Shows what is different between the approved build and this station, as a unified diff.',
  examples: [
    { command: 'witnessmark station diff --data site', note: 'exit 1 when something is different' },
    { command: 'witnessmark station diff --config station.json --record builds/7', note: 'against another record' },
    { command: 'witnessmark station diff --data site --json', note: 'for machines' },
  ],
  args: [],
  options: stationDiffOptions,
  exits: {
    0: 'the station is as approved',
    1: 'it is not; each line is shown',
    3: 'there is no approved record to compare with',
    4: 'the record or its kit does not hold',
    6: 'part of the machine cannot be read',
  },
  run: async (input) => (await import('../actions/station-diff.ts')).stationDiff(input),
});

export const stationSelftestCommand = defineCommand({
  path: ['station', 'selftest'],
  summary:
    'Examines station, line, clock, storage, build and the device in the fixture; nothing is written to a device.',
  examples: [
    { command: 'witnessmark station selftest --data site', note: 'without a device' },
    {
      command: 'witnessmark station selftest --data site --device flashrom:127.0.0.1:24000',
      note: 'reads the device in the fixture twice',
    },
    { command: 'witnessmark station selftest --data site --device simulated:board.chip --json', note: 'for machines' },
  ],
  args: [],
  options: stationSelftestOptions,
  exits: {
    0: 'nothing stands in the way of work; there may be warnings',
    1: 'at least one finding must be dealt with',
  },
  run: async (input) => (await import('../actions/station-selftest.ts')).stationSelftest(input),
});

export const stationProveCommand = defineCommand({
  path: ['station', 'prove'],
  summary: 'Measures the station now and has it signed and logged over what somebody asks with; writes a proof file.',
  examples: [
    {
      command: 'witnessmark station prove --data site --nonce audit-2026-11-18-a7 --out proof.json',
      note: 'the file, and a short code to read out',
    },
    { command: 'witnessmark station prove --config station.json --nonce 7f31c2d0 --out proof.json', note: 'elsewhere' },
    { command: 'witnessmark station prove --data site --nonce 7f31c2d0 --out proof.json --json', note: 'for machines' },
  ],
  args: [],
  options: stationProveOptions,
  exits: {
    0: 'the station is the one, and as approved; the proof is written',
    4: 'refused: it is not as approved, or is not the one station of its key; that is in the log',
    6: 'the line server or the key does not answer, or part of the machine cannot be read',
  },
  run: async (input) => (await import('../actions/station-prove.ts')).stationProve(input),
});

export const stationVerifyProofCommand = defineCommand({
  path: ['station', 'verify-proof'],
  summary: 'Checks the proof of a station offline: signatures, log, approved build, what was asked, and when.',
  examples: [
    {
      command: 'witnessmark station verify-proof proof.json --data site --nonce audit-2026-11-18-a7',
      note: 'prints the code that was read out',
    },
    {
      command: 'witnessmark station verify-proof proof.json --trust trusted-root.json --nonce 7f31c2d0 --station S7',
      note: 'of one station, with a trusted root alone',
    },
    {
      command: 'witnessmark station verify-proof proof.json --data site --nonce 7f31c2d0 --max-age-minutes 60 --json',
      note: 'an older one, for machines',
    },
  ],
  args: [{ name: 'FILE', description: 'the proof', required: true, variadic: false }],
  options: stationVerifyProofOptions,
  exits: { 0: 'it holds', 4: 'it does not; what does not is named' },
  run: async (input) => (await import('../actions/station-prove.ts')).stationVerifyProof(input),
});

export const stationRebuildCommand = defineCommand({
  path: ['station', 'rebuild'],
  summary: 'Builds a station again from its approved record and kit in a new root, measures it and compares.',
  examples: [
    {
      command: 'witnessmark station rebuild --from builds/7 --root /mnt/new --data site',
      note: 'a drill, or a new disk',
    },
    {
      command: 'witnessmark station rebuild --from builds/7 --root /mnt/new --trust trusted-root.json',
      note: 'with a trusted root alone',
    },
    { command: 'witnessmark station rebuild --from builds/7 --root /mnt/new --data site --json', note: 'for machines' },
  ],
  args: [],
  options: stationRebuildOptions,
  exits: {
    0: 'what was built is what was approved; passwords and keys remain to be set by people',
    1: 'it is not; each difference is named',
    3: 'there is no record in that directory',
    4: 'the record does not hold, or a file of the kit was changed; nothing was built',
    6: 'the disk failed',
  },
  run: async (input) => (await import('../actions/station-rebuild.ts')).stationRebuild(input),
});
