// SPDX-License-Identifier: Apache-2.0
/** The exit codes of every command, in good and bad situations, with and without a terminal. */
import { appendFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EMPTY_KEY_REGISTRY, formatKeyRegistry } from '@witnessmark/custody';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commands } from '../src/commands/index.ts';
import { hasProgram } from './programs.ts';
import { run, runOnTerminal, runProcess } from './run.ts';
import { expectDone, TestLine, TestSite } from './site.ts';
import { readVector } from './vectors.ts';

const NOBODY = 'http://127.0.0.1:9';
const BOARDS = ['d265000000000001', 'd265000000000002', 'd265000000000003', 'd265000000000004'] as const;

let site: TestSite;
let line: TestLine;
let boards: readonly { readonly device: string; readonly label: string }[];

beforeAll(async () => {
  site = await TestSite.makeReleased();
  boards = await Promise.all(BOARDS.map((uniqueId) => site.makeBoard(uniqueId)));
  await expectDone(site.propose('2.0.0'));
  await expectDone(site.propose('3.0.0'));
  const denial = ['--deny', '--meaning', 'no', '--ticket', 'T-1', '--key', site.key('approver-chris')];
  await expectDone(['release', 'approve', 'P-0003', '--data', site.data, ...denial]);
  line = await TestLine.start(site.data);
  await expectDone(site.station('program', board(0).device, line.url, '--label', board(0).label));
});
afterAll(async () => {
  await line.end('SIGTERM');
  site.remove();
});

function board(index: number): { readonly device: string; readonly label: string } {
  const found = boards[index];
  if (found === undefined) throw new RangeError('no such board');
  return found;
}

function ofStation(verb: string, ...words: readonly string[]): readonly string[] {
  return ['station', verb, '--data', site.data, ...words];
}

function stationBuild(verb: string, ...words: readonly string[]): readonly string[] {
  const why = verb === 'propose' ? ['--reason', 'test', '--ticket', 'T-1'] : ['--line', line.url];
  return ['station-build', verb, '--data', site.data, '--key', site.key('supervisor-sam'), ...why, ...words];
}

function breakGlass(verb: string, ...words: readonly string[]): readonly string[] {
  const where = ['--data', site.data, '--line', line.url];
  return ['break-glass', verb, ...where, '--key', site.key('supervisor-sam'), ...words];
}

function admit(...words: readonly string[]): readonly string[] {
  const files = ['--request', site.path('image.bin'), '--out', site.path('answer.json')];
  return ['trust', 'admit', '--data', site.data, '--key', site.key('author-alex'), ...files, ...words];
}

function authority(...words: readonly string[]): readonly string[] {
  return ['trust', 'authority', '--key', site.path('ca.pem'), '--out', site.path('ca.crt'), ...words];
}

function certifyLine(...words: readonly string[]): readonly string[] {
  const from = ['--authority-key', site.key('author-alex'), '--authority', site.path('no-authority.crt')];
  return ['trust', 'certify-line', ...from, '--key', site.path('tls.pem'), '--out', site.path('tls.crt'), ...words];
}

function badge(verb: string, url: string, ...words: readonly string[]): readonly string[] {
  return ['badge', verb, ...words, '--data', site.data, '--line', url];
}

function atStation(verb: string, url: string): readonly string[] {
  return ['station', verb, '--data', site.data, '--line', url];
}

/** One without keys. */
function registry(): string {
  const file = site.path('registry.json');
  writeFileSync(file, formatKeyRegistry(EMPTY_KEY_REGISTRY));
  return file;
}

interface Row {
  readonly name: string;
  readonly exit: number;
  /** Repeatable: asked several times the answer is the same. */
  readonly argv: () => readonly string[];
  readonly stdin?: () => string;
  /** Waits for somebody who does not answer: asked once is enough. */
  readonly slow?: boolean;
  /** Also run as a real process, through a pipe and on a pseudo terminal. */
  readonly real?: boolean;
}

const GOOD = readVector('one-pass');
const BAD = readVector('label-swapped_fail');
const UNCLEAR = readVector('last-event-left-out_unverified');

const ROWS: readonly Row[] = [
  { name: 'init without --data', exit: 2, argv: () => ['init'] },
  { name: 'init in a folder that is not empty', exit: 2, argv: () => ['init', '--data', site.data], real: true },
  {
    name: 'init with a name that is none',
    exit: 2,
    argv: () => ['init', '--data', site.path('new'), '--plant', '../x'],
  },
  {
    name: 'init with two approvers',
    exit: 2,
    argv: () => ['init', '--data', site.path('new'), '--approver', 'a:x', '--approver', 'b:y'],
  },

  { name: 'release propose of a version that exists', exit: 4, argv: () => site.propose('1.0.0'), real: true },
  {
    name: 'release propose with a counter that was used',
    exit: 4,
    argv: () => site.propose('9.0.0', '--counter', '1'),
  },
  {
    name: "release propose with an approver's key",
    exit: 4,
    argv: () => site.propose('9.0.0', '--key', site.key('approver-anna')),
  },
  {
    name: 'release propose without an image',
    exit: 2,
    argv: () => site.propose('9.0.0', '--image', site.path('missing.bin')),
  },
  {
    name: 'release propose of an empty image',
    exit: 4,
    argv: () => {
      writeFileSync(site.path('empty.bin'), '');
      return site.propose('9.0.0', '--image', site.path('empty.bin'));
    },
  },
  {
    name: 'release propose with an id that is none',
    exit: 2,
    argv: () => site.propose('9.0.0', '--release-id', 'a/b'),
  },

  {
    name: 'release review of a proposal',
    exit: 0,
    argv: () => ['release', 'review', 'P-0002', '--data', site.data],
    real: true,
  },
  { name: 'release review of none', exit: 4, argv: () => ['release', 'review', 'P-9999', '--data', site.data] },
  { name: 'release review without a place', exit: 2, argv: () => ['release', 'review', 'P-0002'] },

  {
    name: 'release approve with the wrong characters',
    exit: 4,
    argv: () => [...approveWith('anna'), '--confirm', 'xxxx'],
    real: true,
  },
  {
    name: 'release approve by the author',
    exit: 4,
    argv: () => [...approveWith('x'), '--confirm', 'xxxx', '--key', site.key('author-alex')],
  },
  {
    name: 'release approve with a key that is missing',
    exit: 2,
    argv: () => [...approveWith('x'), '--confirm', 'xxxx'],
  },
  {
    name: 'release approve of a denied proposal',
    exit: 4,
    argv: () => ['release', 'approve', 'P-0003', ...approveWith('ben').slice(3), '--confirm', 'xxxx'],
  },

  {
    name: 'release status of all, one waiting',
    exit: 5,
    argv: () => ['release', 'status', '--data', site.data],
    real: true,
  },
  { name: 'release status promoted', exit: 0, argv: () => ['release', 'status', 'P-0001', '--data', site.data] },
  { name: 'release status waiting', exit: 5, argv: () => ['release', 'status', 'P-0002', '--data', site.data] },
  { name: 'release status denied', exit: 1, argv: () => ['release', 'status', 'P-0003', '--data', site.data] },
  { name: 'release status unknown', exit: 4, argv: () => ['release', 'status', 'P-9999', '--data', site.data] },

  {
    name: 'release mirror',
    exit: 0,
    argv: () => ['release', 'mirror', '--data', site.data, '--to', site.path('mirror')],
    real: true,
  },
  {
    name: 'release mirror into a folder for something else',
    exit: 2,
    argv: () => ['release', 'mirror', '--data', site.data, '--to', site.data],
  },
  {
    name: 'release withdraw with another id typed',
    exit: 2,
    argv: () => withdraw('GW-210-1.0.0', 'GW-210-1.0.1'),
    real: true,
  },
  { name: 'release withdraw of a release that is none', exit: 4, argv: () => withdraw('GW-210-7', 'GW-210-7') },
  { name: 'release refresh', exit: 0, argv: () => ['release', 'refresh', '--data', site.data], real: true },
  {
    name: 'release propose of a class that is none',
    exit: 2,
    argv: () => site.propose('9.0.0', '--class', 'sample'),
  },
  {
    name: 'release propose with an exception that is none',
    exit: 4,
    argv: () => site.propose('9.0.0', '--exception', 'E-9999'),
  },
  {
    name: 'release submit to a proposal that is none',
    exit: 4,
    argv: () => ['release', 'submit', 'P-9999', '--data', site.data, '--decision', site.image],
  },
  {
    name: 'release submit of what is no decision',
    exit: 2,
    argv: () => ['release', 'submit', 'P-0002', '--data', site.data, '--decision', site.image],
  },
  {
    name: 'release except without an image',
    exit: 2,
    argv: () => ['release', 'except', '--data', site.data, '--key', site.key('author-alex')],
  },
  {
    name: 'release except that needs none',
    exit: 4,
    argv: () => [
      ...['release', 'except', '--data', site.data, '--key', site.key('author-alex'), '--image', site.image],
      ...['--ticket', 'T-1', '--reason', 'test'],
    ],
  },
  {
    name: 'release indicators, approved within seconds',
    exit: 1,
    argv: () => ['release', 'indicators', '--data', site.data],
    real: true,
  },

  { name: 'trust show', exit: 0, argv: () => ['trust', 'show', '--data', site.data], real: true },
  { name: 'trust show without a place', exit: 2, argv: () => ['trust', 'show'] },
  {
    name: 'trust export',
    exit: 0,
    argv: () => ['trust', 'export', '--data', site.data, '--to', site.path('root.json')],
  },
  {
    name: 'trust enrol',
    exit: 0,
    argv: () => [...enrol(), '--role', 'station', '--scope', 'line-1'],
  },
  { name: 'trust enrol for nothing', exit: 2, argv: () => enrol() },
  { name: 'trust enrol for a use that is none', exit: 2, argv: () => [...enrol(), '--use', 'everything'] },
  { name: 'trust propose of nothing', exit: 4, argv: () => proposeTrust() },
  { name: 'trust propose of a threshold too low', exit: 4, argv: () => proposeTrust('--root-threshold', '1') },
  { name: 'trust propose without the whole key id', exit: 2, argv: () => proposeTrust('--revoke', '17cd9f1e') },
  { name: 'trust review of none', exit: 4, argv: () => ['trust', 'review', 'T-9999', '--data', site.data] },
  {
    name: 'trust sign of none',
    exit: 4,
    argv: () => ['trust', 'sign', 'T-9999', '--data', site.data, '--key', site.key('approver-anna')],
  },
  { name: 'trust status of all', exit: 0, argv: () => ['trust', 'status', '--data', site.data] },
  { name: 'trust status of none', exit: 4, argv: () => ['trust', 'status', 'T-9999', '--data', site.data] },
  { name: 'trust publish of none', exit: 4, argv: () => ['trust', 'publish', 'T-9999', '--data', site.data] },
  { name: 'trust admit of a request that is none', exit: 2, argv: () => admit('--fingerprint', 'ab'.repeat(32)) },
  { name: 'trust authority', exit: 0, argv: () => authority('--organization', 'P1') },
  { name: 'trust authority of nobody', exit: 2, argv: () => authority() },
  { name: 'trust certify-line without a host', exit: 2, argv: () => certifyLine() },
  { name: 'trust certify-line of a line nobody certifies', exit: 2, argv: () => certifyLine('--host', 'localhost') },
  { name: 'station init where a site is', exit: 2, argv: () => ['station', 'init', '--data', site.data] },
  { name: 'station enroll without an identity', exit: 2, argv: () => ofStation('enroll') },
  { name: 'station retire without an identity', exit: 2, argv: () => ofStation('retire', '--reason', 'test') },

  { name: 'line serve beside another writer', exit: 4, argv: () => ['line', 'serve', '--data', site.data], real: true },
  {
    name: 'line serve with a configuration that has an unknown setting',
    exit: 2,
    argv: () => [
      'line',
      'serve',
      '--config',
      damagedConfig('line.json', (text) => text.replace('{', '{"nonsense":1,')),
    ],
  },
  { name: 'line serve without a place', exit: 2, argv: () => ['line', 'serve'] },
  { name: 'line stops', exit: 0, argv: () => ['line', 'stops', '--line', line.url], real: true },
  { name: 'line stops of nobody', exit: 6, argv: () => ['line', 'stops', '--line', NOBODY] },
  { name: 'line stops at something that is no URL', exit: 2, argv: () => ['line', 'stops', '--line', 'line-1'] },
  { name: 'golden list', exit: 0, argv: () => golden('list'), real: true },
  { name: 'golden list of nobody', exit: 6, argv: () => ['golden', 'list', '--data', site.data, '--line', NOBODY] },
  {
    name: 'golden register of a board that holds nothing',
    exit: 4,
    argv: () => [
      ...golden('register', '--device', board(0).device, '--kind', 'golden', '--image', site.image),
      ...['--key', site.key('supervisor-sam'), '--reason', 'test'],
    ],
  },
  {
    name: 'golden retire of a unit that is none',
    exit: 3,
    argv: () => golden('retire', 'GW-210-0000-0000-0000', '--key', site.key('supervisor-sam'), '--reason', 'test'),
  },
  {
    name: 'golden check of a unit of a kind there is not',
    exit: 2,
    argv: () => golden('check', '--device', board(0).device, '--kind', 'silver'),
  },
  { name: 'line decide about nothing', exit: 3, argv: () => decide('GW-210-0000-0000-0000'), real: true },
  { name: 'line decide with a choice that does not exist', exit: 2, argv: () => [...decide('x'), '--action', 'goOn'] },
  {
    name: "line decide with an operator's key",
    exit: 3,
    argv: () => [...decide('x'), '--key', site.key('operator-olga')],
  },

  { name: 'badge list', exit: 0, argv: () => badge('list', line.url), real: true },
  { name: 'badge list of nobody', exit: 6, argv: () => badge('list', NOBODY) },
  {
    name: 'badge enrol for nobody',
    exit: 2,
    argv: () => badge('enrol', line.url, '3310', '--key', site.key('supervisor-sam')),
  },
  {
    name: 'badge unlock of a badge nobody has',
    exit: 1,
    argv: () => badge('unlock', line.url, '3310', '--key', site.key('supervisor-sam')),
    real: true,
  },
  {
    name: 'badge revoke of a badge nobody has',
    exit: 1,
    argv: () => badge('revoke', line.url, '3310', '--key', site.key('supervisor-sam')),
    real: true,
  },
  { name: 'station sessions', exit: 0, argv: () => atStation('sessions', line.url), real: true },
  { name: 'station sessions of no address', exit: 2, argv: () => atStation('sessions', 'http://127.0.0.1:7300:') },
  { name: 'station sessions of nobody', exit: 6, argv: () => atStation('sessions', NOBODY) },
  { name: 'station sign-out', exit: 0, argv: () => atStation('sign-out', line.url), real: true },
  { name: 'station sign-out at nobody', exit: 6, argv: () => atStation('sign-out', NOBODY) },
  { name: 'label print without a unit', exit: 2, argv: () => ['label', 'print', '--data', site.data] },
  { name: 'label scan without a station', exit: 2, argv: () => ['label', 'scan', '--scan', 'x'] },
  { name: 'label reprint without a unit', exit: 2, argv: () => ['label', 'reprint', '--data', site.data] },
  { name: 'label void without a decision', exit: 2, argv: () => ['label', 'void', '--data', site.data, '--unit', 'x'] },
  { name: 'station check without a fixture', exit: 2, argv: () => ofStation('check', '--label', 'x') },
  { name: 'station clock without a time service', exit: 2, argv: () => ofStation('clock') },
  {
    name: 'time sign of nothing',
    exit: 2,
    argv: () => ['time', 'sign', site.path('none.json'), '--key', site.key('approver-anna'), '--out', site.path('t')],
  },
  { name: 'station cache list', exit: 0, argv: () => ['station', 'cache', 'list', '--data', site.data], real: true },
  {
    name: 'station cache with a verb there is not',
    exit: 2,
    argv: () => ['station', 'cache', 'melt', '--data', site.data],
  },
  { name: 'station label', exit: 0, argv: () => stationLabel(board(0).device), real: true },
  { name: 'station label without a board', exit: 2, argv: () => stationLabel(`simulated:${site.path('none.chip')}`) },
  { name: 'station label without a programmer', exit: 6, argv: () => stationLabel('flashrom:127.0.0.1:9') },
  { name: 'station label with a fixture that is none', exit: 2, argv: () => stationLabel('jtag:1') },
  { name: 'station label with a chip nobody knows', exit: 2, argv: () => stationLabel('flashrom:127.0.0.1:9,chip=X') },
  {
    name: 'station-build propose of a station that is not told what to measure',
    exit: 2,
    argv: () => stationBuild('propose', '--approver', 'ben', '--out', site.path('build')),
  },
  {
    name: 'station-build approve of a directory without a record',
    exit: 2,
    argv: () => stationBuild('approve', site.folder),
  },
  { name: 'station diff of a station that is not told what to measure', exit: 2, argv: () => ofStation('diff') },
  { name: 'station selftest', exit: 0, argv: () => ofStation('selftest', '--line', line.url) },
  {
    name: 'station selftest with a fixture that does not answer',
    exit: 1,
    argv: () => ofStation('selftest', '--line', line.url, '--device', 'flashrom:127.0.0.1:9'),
  },
  {
    name: 'station prove of a station that is not told what to measure',
    exit: 2,
    argv: () => ofStation('prove', '--nonce', 'audit-2026', '--out', site.path('proof.json')),
  },
  {
    name: 'station verify-proof of a file that is none',
    exit: 2,
    argv: () => ofStation('verify-proof', site.image, '--nonce', 'audit-2026'),
  },
  {
    name: 'station rebuild from a directory without a record',
    exit: 3,
    argv: () => ofStation('rebuild', '--from', site.folder, '--root', site.path('root')),
  },
  {
    name: 'station program without a line',
    exit: 6,
    argv: () => site.station('program', board(1).device, NOBODY, '--label', board(1).label),
    slow: true,
  },
  {
    name: "station program with a supervisor's key",
    exit: 2,
    argv: () => [
      ...site.station('program', board(1).device, line.url, '--label', board(1).label),
      '--operator-key',
      site.key('supervisor-sam'),
    ],
    real: true,
  },
  {
    name: 'station run without labels',
    exit: 0,
    argv: () => site.station('run', board(1).device, line.url),
    stdin: () => '',
    real: true,
  },
  { name: 'station run without a line', exit: 6, argv: () => site.station('run', board(1).device, NOBODY), slow: true },

  { name: 'verify VERIFIED', exit: 0, argv: () => ['verify', GOOD.file, ...GOOD.judging] },
  { name: 'verify FAILED', exit: 1, argv: () => ['verify', BAD.file, ...BAD.judging], real: true },
  { name: 'verify NOT VERIFIED', exit: 3, argv: () => ['verify', UNCLEAR.file, ...UNCLEAR.judging] },

  { name: 'trace of a good unit', exit: 0, argv: () => ['trace', board(0).label, '--data', site.data], real: true },
  {
    name: 'trace as the line has it',
    exit: 0,
    argv: () => ['trace', board(0).label, '--line', line.url, '--data', site.data],
  },
  { name: 'trace FAILED', exit: 1, argv: () => ['trace', BAD.file, ...BAD.judging] },
  {
    name: 'trace of a unit nobody knows',
    exit: 3,
    argv: () => ['trace', 'GW-210-0000-0000-0000', '--data', site.data],
  },
  { name: 'trace without trust', exit: 2, argv: () => ['trace', GOOD.file] },

  {
    name: 'log show of an entry',
    exit: 0,
    argv: () => ['log', 'show', '--data', site.data, '--index', '0'],
    real: true,
  },
  {
    name: 'log show of an entry that is not there',
    exit: 2,
    argv: () => ['log', 'show', '--data', site.data, '--index', '99'],
  },
  {
    name: 'log show of nothing',
    exit: 1,
    argv: () => ['log', 'show', '--data', site.data, '--log', site.path('nowhere')],
  },
  {
    name: 'log show of a damaged log',
    exit: 1,
    argv: () => ['log', 'show', '--data', site.data, '--log', damagedLog()],
  },
  {
    name: 'log show with a trusted root that does not know the log',
    exit: 3,
    argv: () => ['log', 'show', '--log', join(site.data, 'log'), ...GOOD.judging.slice(0, 2)],
  },

  { name: 'log unsealings', exit: 0, argv: () => ['log', 'unsealings', '--data', site.data] },
  {
    name: 'log unsealings of a damaged log',
    exit: 1,
    argv: () => ['log', 'unsealings', '--data', site.data, '--log', damagedLog()],
  },
  { name: 'log unsealings of nothing', exit: 2, argv: () => ['log', 'unsealings', '--log', site.path('nowhere')] },
  {
    name: 'log unsealings with a trusted root that does not know the log',
    exit: 3,
    argv: () => ['log', 'unsealings', '--data', site.data, ...GOOD.judging.slice(0, 2)],
  },
  {
    name: 'log unsealings with a repository that is none',
    exit: 4,
    argv: () => ['log', 'unsealings', '--data', site.data, '--repository', site.path('nowhere')],
  },

  { name: 'log fsck', exit: 0, argv: () => ['log', 'fsck', '--data', site.data], real: true },
  { name: 'log fsck of a copy', exit: 1, argv: () => ['log', 'fsck', '--data', site.data, '--log', damagedLog()] },
  {
    name: 'log fsck with a database that is none',
    exit: 6,
    argv: () => ['log', 'fsck', '--data', site.data, '--database', site.image],
  },
  {
    name: 'log fsck with a trusted root that does not know the log',
    exit: 3,
    argv: () => ['log', 'fsck', '--log', join(site.data, 'log'), ...GOOD.judging.slice(0, 2)],
  },

  { name: 'custody serve without a configuration', exit: 2, argv: () => ['custody', 'serve'] },
  {
    name: 'custody serve of a data directory without custody',
    exit: 2,
    argv: () => ['custody', 'serve', '--data', site.data],
  },
  {
    name: 'custody serve with a configuration that is none',
    exit: 4,
    argv: () => ['custody', 'serve', '--custody', `${site.data}/line.json`],
    real: true,
  },
  { name: 'keys check without custody', exit: 2, argv: () => ['keys', 'check', '--data', site.data] },
  {
    name: 'keys check of a key without a policy',
    exit: 2,
    argv: () => ['keys', 'check', '--key', 'pkcs11:token=a;serial=b;object=c?module-path=/nowhere.so'],
  },
  {
    name: 'keys check of a key that is in no token',
    exit: 2,
    argv: () => ['keys', 'check', '--policy', 'line-evidence', '--key', site.key('author-alex')],
  },
  {
    name: 'keys check without the module',
    exit: 6,
    argv: () => {
      const key = 'pkcs11:token=a;serial=b;object=c?module-path=/nowhere.so';
      return ['keys', 'check', '--policy', 'line-evidence', '--key', key];
    },
  },
  {
    name: 'keys qualify of a reference with a PIN',
    exit: 4,
    argv: () => ['keys', 'qualify', '--key', 'pkcs11:token=a;serial=b;object=c?module-path=/x.so&pin-value=1234'],
  },
  { name: 'keys reconcile without custody', exit: 2, argv: () => ['keys', 'reconcile', '--data', site.data] },
  { name: 'keys list without a registry', exit: 2, argv: () => ['keys', 'list', '--data', site.data] },
  { name: 'keys list of a registry', exit: 0, argv: () => ['keys', 'list', '--registry', registry()], real: true },
  {
    name: 'keys list of a registry that is none',
    exit: 4,
    argv: () => ['keys', 'list', '--registry', `${site.data}/line.json`],
  },
  { name: 'keys export', exit: 0, argv: () => ['keys', 'export', '--registry', registry()] },
  {
    name: 'keys export to a format nobody knows',
    exit: 2,
    argv: () => ['keys', 'export', '--registry', registry(), '--format', 'xml'],
  },
  { name: 'break-glass open without --minutes', exit: 2, argv: () => breakGlass('open', '--scope', 'openStop') },
  { name: 'break-glass open of a rule that cannot be', exit: 2, argv: () => breakGlass('open', '--scope', 'evidence') },
  {
    name: 'break-glass open by one of two',
    exit: 5,
    argv: () => {
      const what = ['--minutes', '5', '--second', 'ben', '--reason', 'r', '--ticket', 'T-1'];
      return breakGlass('open', '--scope', 'openStop', ...what, '--out', site.path('opening.json'));
    },
  },
  {
    name: 'break-glass open of a file that is none',
    exit: 2,
    argv: () => breakGlass('open', `${site.data}/line.json`, '--confirm', '0000'),
  },
  { name: 'break-glass reseal of nothing', exit: 3, argv: () => breakGlass('reseal', '--done', 'nothing') },
  {
    name: 'break-glass review of nothing',
    exit: 3,
    argv: () => breakGlass('review', '--verdict', 'justified', '--findings', 'none'),
  },
  {
    name: 'break-glass status where none is',
    exit: 0,
    argv: () => ['break-glass', 'status', '--line', line.url],
    real: true,
  },
  {
    name: 'break-glass status without a line',
    exit: 6,
    argv: () => ['break-glass', 'status', '--line', 'http://127.0.0.1:9'],
  },

  {
    name: 'ceremony run of a script that is none',
    exit: 4,
    argv: () => ['ceremony', 'run', site.image, '--data', site.data, '--setup', 'x'],
  },
  { name: 'ceremony rehearse without a setup', exit: 2, argv: () => ['ceremony', 'rehearse', 'x'] },
  { name: 'ceremony resume of none', exit: 2, argv: () => ['ceremony', 'resume', 'root-1', '--data', site.data] },
  {
    name: 'ceremony close of none',
    exit: 2,
    argv: () => ['ceremony', 'close', 'root-1', '--data', site.data, '--key', site.key('approver-anna')],
  },
  { name: 'ceremony replay of no transcript', exit: 3, argv: () => ['ceremony', 'replay', site.image], real: true },
  { name: 'ceremony replay of nothing', exit: 2, argv: () => ['ceremony', 'replay', site.path('missing')] },

  {
    name: 'media ingest of what nobody announced',
    exit: 4,
    argv: () => moveMedium('ingest', 'operator-olga'),
    real: true,
  },
  { name: 'media ingest of nothing', exit: 2, argv: () => moveMedium('ingest', 'operator-olga', site.path('nowhere')) },
  {
    name: 'media ingest of what is no archive',
    exit: 4,
    argv: () => moveMedium('ingest', 'operator-olga', site.image),
  },
  { name: 'media export by an operator', exit: 4, argv: () => moveMedium('export', 'operator-olga') },
  {
    name: 'media export of keys',
    exit: 4,
    argv: () => moveMedium('export', 'supervisor-sam', join(site.data, 'keys')),
  },
  { name: 'media check of logs', exit: 0, argv: () => ['media', 'check', files(), '--place', 'outside'], real: true },
  {
    name: 'media check of keys',
    exit: 1,
    argv: () => ['media', 'check', join(site.data, 'keys'), '--place', 'outside'],
  },
  { name: 'media check of nowhere', exit: 2, argv: () => ['media', 'check', files(), '--place', 'here'] },
  { name: 'media ledger', exit: 0, argv: () => ['media', 'ledger', '--data', site.data] },
  {
    name: 'media ledger with a trusted root that does not know the log',
    exit: 3,
    argv: () => ['media', 'ledger', '--data', site.data, ...GOOD.judging.slice(0, 2)],
  },

  { name: 'debug-bundle propose for nobody', exit: 2, argv: () => proposeBundle(files()) },
  {
    name: 'debug-bundle propose of keys',
    exit: 4,
    argv: () => proposeBundle(join(site.data, 'keys'), '--recipient', `eve=${RECIPIENT}`),
    real: true,
  },
  {
    name: 'debug-bundle propose for what is no recipient',
    exit: 2,
    argv: () => proposeBundle(files(), '--recipient', `eve=${RECIPIENT}qq`),
  },
  {
    name: 'debug-bundle approve of none',
    exit: 4,
    argv: () => ['debug-bundle', 'approve', 'DB-0009', '--data', site.data, '--key', site.key('approver-anna')],
  },
  {
    name: 'debug-bundle seal of none',
    exit: 4,
    argv: () => [
      'debug-bundle',
      'seal',
      'DB-0009',
      '--data',
      site.data,
      '--from',
      files(),
      '--key',
      site.key('author-alex'),
    ],
  },
  { name: 'debug-bundle open of nothing', exit: 2, argv: () => openBundle(site.path('nowhere')) },
  { name: 'debug-bundle status of all', exit: 0, argv: () => ['debug-bundle', 'status', '--data', site.data] },
  {
    name: 'debug-bundle status unknown',
    exit: 4,
    argv: () => ['debug-bundle', 'status', 'DB-0009', '--data', site.data],
    real: true,
  },

  { name: 'doctor of this machine', exit: 0, argv: () => ['doctor'], real: true },
  { name: 'doctor of the site', exit: 0, argv: () => ['doctor', '--data', site.data, '--line', line.url] },
  { name: 'doctor of no site', exit: 2, argv: () => ['doctor', '--data', site.folder] },
  { name: 'doctor of a site that others can read', exit: 1, argv: () => ['doctor', '--data', siteWithOpenKey()] },
  {
    name: 'doctor without a board',
    exit: 1,
    argv: () => ['doctor', '--device', `simulated:${site.path('none.chip')}`],
  },

  { name: 'explain a reason code', exit: 0, argv: () => ['explain', 'ls-101'] },
  { name: 'explain an error code', exit: 0, argv: () => ['explain', 'ERR_DSSE_THRESHOLD'] },
  { name: 'explain all', exit: 0, argv: () => ['explain'] },
  { name: 'explain nothing known', exit: 2, argv: () => ['explain', 'LS-999'], real: true },
  { name: 'completion', exit: 0, argv: () => ['completion', 'bash'], real: true },
  { name: 'completion of another shell', exit: 2, argv: () => ['completion', 'csh'] },

  {
    name: 'demo in a folder of somebody else',
    exit: 2,
    argv: () => ['demo', '--headless', '--data', site.data],
    real: true,
  },
  { name: 'demo --clean of a folder of somebody else', exit: 2, argv: () => ['demo', '--clean', '--data', site.data] },
  { name: 'demo --clean of nothing', exit: 0, argv: () => ['demo', '--clean', '--data', site.path('no-demo')] },
  {
    name: 'demo with an image that is missing',
    exit: 2,
    argv: () => ['demo', '--data', site.path('d'), '--image', 'none'],
  },
  { name: 'demo with no units', exit: 2, argv: () => ['demo', '--data', site.path('d'), '--units', '0'] },
];

function approveWith(approver: string): readonly string[] {
  const words = ['--meaning', 'test', '--ticket', 'T-1', '--key', site.key(`approver-${approver}`)];
  return ['release', 'approve', 'P-0002', '--data', site.data, ...words];
}

const RECIPIENT = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p';

/** A directory with nothing secret in it. */
function files(): string {
  mkdirSync(site.path('files'), { recursive: true });
  writeFileSync(site.path('files/station.log'), 'all quiet\n');
  return site.path('files');
}

function golden(verb: string, ...words: readonly string[]): readonly string[] {
  return ['golden', verb, ...words, '--data', site.data, '--line', line.url];
}

function moveMedium(verb: 'ingest' | 'export', person: string, from = files()): readonly string[] {
  const what = ['--medium', 'STICK-7', '--key', site.key(person), '--to', site.path('never'), '--purpose', 'test'];
  return ['media', verb, from, '--data', site.data, ...what, ...(verb === 'ingest' ? ['--record', 'office'] : [])];
}

function proposeBundle(from: string, ...more: readonly string[]): readonly string[] {
  const words = ['--key', site.key('author-alex'), '--purpose', 'test', '--ticket', 'T-1'];
  return ['debug-bundle', 'propose', '--data', site.data, '--from', from, ...words, ...more];
}

function openBundle(file: string): readonly string[] {
  const words = ['--statements', file, '--identity', file, '--to', site.path('never'), '--data', site.data];
  return ['debug-bundle', 'open', file, ...words];
}

function enrol(): readonly string[] {
  const out = site.path('enrolment.json');
  return ['trust', 'enrol', '--key', site.key('operator-olga'), '--owner', 'ST-9', '--out', out];
}

function proposeTrust(...more: readonly string[]): readonly string[] {
  const words = ['--key', site.key('author-alex'), '--ticket', 'T-1', '--reason', 'test'];
  return ['trust', 'propose', '--data', site.data, ...words, ...more];
}

function withdraw(release: string, typed: string): readonly string[] {
  const words = ['--confirm', typed, '--reason', 'test', '--ticket', 'T-1', '--key', site.key('approver-ben')];
  return ['release', 'withdraw', release, '--data', site.data, ...words];
}

function decide(name: string): readonly string[] {
  const words = ['--action', 'voidLabel', '--reason', 'test', '--key', site.key('supervisor-sam')];
  return ['line', 'decide', name, '--data', site.data, '--line', line.url, ...words];
}

function stationLabel(device: string): readonly string[] {
  return ['station', 'label', '--data', site.data, '--device', device];
}

function damagedConfig(name: string, change: (text: string) => string): string {
  const file = join(site.data, `damaged-${name}`);
  writeFileSync(file, change(readFileSync(join(site.data, name), 'utf8')));
  return file;
}

function damagedLog(): string {
  const copy = site.path('damaged-log');
  if (existsSync(copy)) return copy;
  cpSync(join(site.data, 'log'), copy, { recursive: true });
  const partial = join(copy, 'tile', 'entries', '000.p');
  for (const width of readdirSync(partial)) {
    const bytes = readFileSync(join(partial, width));
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    writeFileSync(join(partial, width), bytes);
  }
  return copy;
}

function siteWithOpenKey(): string {
  const copy = site.path('open-site');
  if (existsSync(copy)) return copy;
  mkdirSync(copy);
  cpSync(site.data, copy, { recursive: true, filter: (path) => !path.includes('line.db') });
  writeFileSync(join(copy, 'keys', 'open.pem'), '', { mode: 0o644 });
  return copy;
}

describe.each(ROWS.map((row) => [row.name, row] as const))('%s', (_name, { exit, argv, stdin, real, slow }) => {
  const input = (): { stdin: string } => ({ stdin: stdin?.() ?? '' });

  it(`ends with ${exit}, with and without a terminal`, async () => {
    const piped = await run(argv(), input());
    expect({ exit: piped.exit, stderr: piped.stderr }).toMatchObject({ exit });
    if (slow === true) return;
    expect((await run(argv(), { ...input(), answers: [] })).exit).toBe(exit);
    expect(piped.stdout + piped.stderr).not.toContain('INTERNAL');
  });

  if (slow !== true) {
    it('E-08: --json prints one document whose "ok" is exit 0', async () => {
      const { exit: found, stdout } = await run([...argv(), '--json'], input());
      expect(JSON.parse(stdout)).toMatchObject({ ok: exit === 0, exit });
      expect(found).toBe(exit);
    });

    it('-qq prints nothing', async () => {
      expect(await run([...argv(), '-qq'], input())).toEqual({ exit, stdout: '', stderr: '' });
    });
  }

  if (real === true) {
    it.skipIf(!hasProgram('script'))(
      'the real program ends with it, through a pipe and on a pseudo terminal',
      async () => {
        expect((await runProcess(argv(), input())).exit).toBe(exit);
        expect((await runOnTerminal(argv(), input())).exit).toBe(exit);
      },
    );
  }
});

describe('E-17: a question without a terminal', () => {
  const questions: readonly (readonly [name: string, flag: string, argv: () => readonly string[]])[] = [
    ['release propose', '--ticket', (): readonly string[] => withoutFlag(site.propose('9.0.0'), '--ticket')],
    ['release propose', '--reason', (): readonly string[] => withoutFlag(site.propose('9.0.0'), '--reason')],
    ['release approve', '--confirm', (): readonly string[] => approveWith('anna')],
    [
      'release approve',
      '--meaning',
      (): readonly string[] => [...withoutFlag(approveWith('anna'), '--meaning'), '--confirm', 'x'],
    ],
    ['release withdraw', '--confirm', (): readonly string[] => withoutFlag(withdraw('GW-210-1.0.0', 'x'), '--confirm')],
    ['station program', '--label', (): readonly string[] => site.station('program', board(1).device, line.url)],
  ];
  it.each(questions)('%s names %s and ends with 2', async (_name, flag, argv) => {
    const { exit, stderr } = await run(argv());
    expect(exit).toBe(2);
    expect(stderr).toContain(`${flag} is missing`);
  });

  it('on a terminal the person is asked, and an empty answer is no answer', async () => {
    const argv = withoutFlag(withdraw('GW-210-1.0.0', 'x'), '--confirm');
    const asked = await run(argv, { answers: ['GW-210-9.9.9'] });
    expect(asked.stderr).toContain('Type the release id:');
    expect(asked.stderr).toContain('nothing was withdrawn');
    expect(await run(argv, { answers: [''] })).toMatchObject({ exit: 2 });
  });
});

describe('what changes something', () => {
  it('a proposal is approved by two of three with their own keys, then published, then withdrawn', async () => {
    const own = await TestSite.make();
    try {
      expect((await run(own.propose('1.0.0'))).exit).toBe(0);
      const first = await own.approve('P-0001', 'anna');
      expect((await run(first)).stdout).toContain('1 of 2 people approved');
      expect(await run(first)).toMatchObject({ exit: 4 });
      expect((await run(await own.approve('P-0001', 'chris'))).stdout).toContain('promoted and published');
      expect((await run(['release', 'status', '--data', own.data])).exit).toBe(0);
      const withdrawal = [
        '--confirm',
        'GW-210-1.0.0',
        '--reason',
        'r',
        '--ticket',
        't',
        '--key',
        own.key('approver-ben'),
      ];
      const argv = ['release', 'withdraw', 'GW-210-1.0.0', '--data', own.data, ...withdrawal];
      expect((await run(argv)).stdout).toBe('GW-210-1.0.0 is withdrawn\n');
      expect((await run(argv)).stdout).toBe('GW-210-1.0.0 was withdrawn before\n');
      expect((await run(['release', 'status', 'P-0001', '--data', own.data])).exit).toBe(1);
    } finally {
      own.remove();
    }
  });

  it('a damaged repository is not mirrored', async () => {
    const own = await TestSite.makeReleased();
    try {
      const images = join(own.data, 'trust', 'targets', 'images');
      for (const name of readdirSync(images)) appendFileSync(join(images, name), 'x');
      expect(await run(['release', 'mirror', '--data', own.data, '--to', own.path('copy')])).toMatchObject({ exit: 4 });
    } finally {
      own.remove();
    }
  });

  it('station run takes one label after the other; a swapped label stops the line until a supervisor decides', async () => {
    const folder = site.path('boards');
    mkdirSync(folder, { recursive: true });
    for (const index of [1, 2]) cpSync(chipOf(index), join(folder, `${board(index).label}.chip`));
    const argv = site.station('run', `simulated:${folder}`, line.url);
    const passed = await run(argv, { stdin: `${board(1).label}\n\n${board(2).label}\n` });
    expect(passed.stdout.trimEnd().split('\n').at(-1)).toBe('2 units: 2 PASS, 0 FAIL, 0 LINE STOP, 0 HOLD');
    expect(passed.exit).toBe(0);

    const again = site.station('program', board(0).device, line.url, '--label', board(0).label);
    expect((await run(again)).stdout).toMatch(/^LINE STOP .*LS-102/m);
    const [doubled] = await openStops();
    const release = ['--action', 'releaseStation', '--reason', 'found in the wrong tray'];
    await expectDone([...decide(doubled?.refusalId ?? ''), ...release]);

    const swapped = site.station('program', board(3).device, line.url, '--label', board(0).label);
    const stopped = await run(swapped);
    expect(stopped.exit).toBe(4);
    expect(stopped.stdout).toMatch(/^LINE STOP .*LS-101/m);
    const stops = await openStops();
    expect(stops).toMatchObject([{ code: 'LS-101', actions: expect.arrayContaining(['voidLabel']) as unknown }]);
    const decision = decide(stops[0]?.refusalId ?? '');
    expect(await run([...decision, '--action', 'allowRetry'])).toMatchObject({ exit: 4 });
    expect(await run([...decision, '--key', site.key('operator-olga')])).toMatchObject({ exit: 2 });
    expect(await run(decision)).toMatchObject({ exit: 0 });
    expect(await run(['line', 'stops', '--line', line.url])).toMatchObject({ exit: 0 });
    const right = site.station('program', board(3).device, line.url, '--label', board(3).label);
    expect(await run(right)).toMatchObject({ exit: 0 });
  });

  it('a unit that passed stays PASS when its evidence file cannot be written, and that is not a 0', async () => {
    const config = join(site.data, 'station-without-room.json');
    const station = JSON.parse(readFileSync(join(site.data, 'station.json'), 'utf8')) as object;
    writeFileSync(config, JSON.stringify({ ...station, evidence: 'trusted-root.json/nowhere' }));
    const made = await site.makeBoard('d265000000000005');
    const words = ['--device', made.device, '--label', made.label, '--operator-key', site.key('operator-olga')];
    const result = await run(['station', 'program', '--config', config, '--line', line.url, ...words]);
    expect(result.exit).toBe(2);
    expect(result.stdout).toMatch(/^PASS /m);
    expect(result.stderr).toContain('the evidence file was not written');
  });

  it('a line ends cleanly: SIGTERM with 0, SIGINT with 130, everything published', async () => {
    const own = await TestSite.makeReleased();
    try {
      for (const [signal, exit] of [
        ['SIGTERM', 0],
        ['SIGINT', 130],
      ] as const) {
        const started = await TestLine.start(own.data);
        const made = await own.makeBoard(signal === 'SIGTERM' ? 'd265000000000011' : 'd265000000000012');
        await expectDone(own.station('program', made.device, started.url, '--label', made.label));
        expect(await started.end(signal)).toBe(exit);
      }
      expect((await run(['log', 'show', '--data', own.data])).stdout).toContain('\n8 entries, head signed by');
    } finally {
      own.remove();
    }
  });
});

it('every command has rows that end well and rows that do not', () => {
  for (const { path } of commands) {
    const own = ROWS.filter(({ name }) => name.startsWith(path.join(' ')));
    expect(own.length, path.join(' ')).toBeGreaterThan(0);
  }
});

async function openStops(): Promise<readonly { readonly refusalId: string; readonly code: string }[]> {
  const open = await run(['line', 'stops', '--line', line.url, '--json']);
  expect(open.exit).toBe(5);
  return (JSON.parse(open.stdout) as { stops: { refusalId: string; code: string; actions: string[] }[] }).stops;
}

function chipOf(index: number): string {
  return board(index).device.replace('simulated:', '');
}

function withoutFlag(argv: readonly string[], flag: string): readonly string[] {
  const at = argv.indexOf(flag);
  return at < 0 ? argv : [...argv.slice(0, at), ...argv.slice(at + 2)];
}
