// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  encodeUtf8,
  formatEnvelope,
  RefusedError,
  sha256Hex,
  STATEMENT_PAYLOAD_TYPE,
  type Bytes,
} from '@witnessmark/core';
import { buildStatement, timeHierarchy, type TimeHierarchy, type TrustedKey } from '@witnessmark/attestation';
import { generateSoftwareKey, signEnvelope, type SoftwareKey } from '@witnessmark/custody';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { judgeTimeSource, type TimeJudgement } from '../../src/clock/judge-time-source.ts';
import { parseTimeHierarchy, requireNewest } from '../../src/clock/time-hierarchy.ts';
import type { SourceReading, TimeReading } from '../../src/clock/time-reading.ts';
import { ChronyTimeSource } from '../../src/clock/chrony-time-source.ts';
import { openNodeFileSystem } from '../../src/node-file-system.ts';
import { CHRONYC, hasChrony, TimeNetwork, until, type Daemon } from './chronyd.ts';

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2027, 2, 4, 12);

interface Person {
  readonly key: SoftwareKey;
  readonly entry: TrustedKey;
}

function hire(role: TrustedKey['role'], owner: string, scope: string, validUntil = NOW + 365 * DAY_MS): Person {
  const key = generateSoftwareKey('ecdsa-sha2-nistp256');
  const entry = {
    key: key.publicKey,
    role,
    owner,
    scope,
    custody: 'software',
    validFrom: NOW - 365 * DAY_MS,
    validUntil,
  };
  return { key, entry: entry as TrustedKey };
}

const ADA = hire('approver', 'ada', 'release');
const ADA_AGAIN = hire('approver', 'ada', 'release');
const SVEN = hire('supervisor', 'sven', 'L1');
const SUSE = hire('supervisor', 'suse', 'L1');
const FAR = hire('supervisor', 'far', 'L2');
const GONE = hire('supervisor', 'gone', 'L1', NOW - 2 * DAY_MS);
const PEOPLE = [ADA, ADA_AGAIN, SVEN, SUSE, FAR, GONE];
const CONTEXT = { keys: PEOPLE.map(({ entry }) => entry), plant: 'P1', line: 'L1' };
const LIMITS = { maxOffsetMs: 200, maxRootDistanceMs: 500, maxAgeMs: 60_000, minSources: 2, maxFalsetickers: 0 };

function draft(changes: Partial<TimeHierarchy> = {}): TimeHierarchy {
  return {
    plant: 'P1',
    line: 'L1',
    version: 3,
    sources: [
      { address: '10.0.0.1', authentication: 'nts', maxStratum: 2 },
      { address: '10.0.0.2', authentication: 'symmetricKey', maxStratum: 3 },
      { address: '10.0.0.3', authentication: 'none', maxStratum: 3 },
    ],
    sane: LIMITS,
    degraded: { ...LIMITS, maxOffsetMs: 5000, minSources: 0, maxFalsetickers: 1 },
    minAnsweredPolls: 3,
    minSamples: 3,
    approvedBy: [
      { id: 'ada', role: 'approver' },
      { id: 'sven', role: 'supervisor' },
    ],
    issuedAt: '2027-03-03T12:00:00Z',
    validUntil: '2027-06-01T00:00:00Z',
    ...changes,
  };
}

async function issue(
  document: TimeHierarchy,
  by: readonly Person[] = [ADA, SVEN],
  line = document.line,
): Promise<Bytes> {
  const payload = buildStatement(
    timeHierarchy,
    { name: 'line', digest: { sha256: sha256Hex(encodeUtf8(line)) } },
    document,
  );
  const keys = by.map(({ key }) => key);
  return formatEnvelope(await signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, keys));
}

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof RefusedError) return error.code;
    throw error;
  }
  return 'nothing refused';
}

function source(name: string, changes: Partial<SourceReading> = {}): SourceReading {
  return {
    name,
    state: 'combined',
    stratum: 2,
    reach: 0xff,
    lastSampleAgeMs: 1000,
    offsetMs: 0,
    samples: 8,
    authentication: 'nts',
    ...changes,
  };
}

const HONEST = [
  source('10.0.0.1', { state: 'selected' }),
  source('10.0.0.2', { authentication: 'symmetric key' }),
  source('10.0.0.3', { authentication: 'none' }),
];

async function judge(sources: readonly SourceReading[], now: number = NOW): Promise<TimeJudgement> {
  const reading: TimeReading = {
    claimsSynchronised: true,
    stratum: 3,
    offsetMs: 1,
    rootDelayMs: 2,
    rootDispersionMs: 3,
    sources,
  };
  const { document, policy } = parseTimeHierarchy(await issue(draft()), CONTEXT);
  return judgeTimeSource('chrony', { state: 'answered', reading }, policy, { document, now });
}

const directory = mkdtempSync(join(tmpdir(), 'witnessmark-hierarchy-'));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

describe('a time hierarchy', () => {
  it('is opened when two people of the line signed it, one of them an approver', async () => {
    const { document, policy } = parseTimeHierarchy(await issue(draft()), CONTEXT);
    expect(document.version).toBe(3);
    expect(policy).toMatchObject({ sane: LIMITS, maxStratum: 3, requireNts: false });
  });

  it.each<[string, Partial<TimeHierarchy>, readonly Person[]]>([
    ['one signature', {}, [ADA]],
    [
      'two keys of one person',
      {
        approvedBy: [
          { id: 'ada', role: 'approver' },
          { id: 'ada', role: 'approver' },
        ],
      },
      [ADA, ADA_AGAIN],
    ],
    [
      'supervisors alone',
      {
        approvedBy: [
          { id: 'suse', role: 'supervisor' },
          { id: 'sven', role: 'supervisor' },
        ],
      },
      [SUSE, SVEN],
    ],
    [
      'a supervisor of another line',
      {
        approvedBy: [
          { id: 'ada', role: 'approver' },
          { id: 'far', role: 'supervisor' },
        ],
      },
      [ADA, FAR],
    ],
    ['somebody it does not name', {}, [ADA, SUSE]],
    [
      'a key that had run out',
      {
        approvedBy: [
          { id: 'ada', role: 'approver' },
          { id: 'gone', role: 'supervisor' },
        ],
      },
      [ADA, GONE],
    ],
    ['another line', { line: 'L2' }, [ADA, SVEN]],
    ['another plant', { plant: 'P2' }, [ADA, SVEN]],
    ['limits upside down', { degraded: { ...LIMITS, maxOffsetMs: 1 } }, [ADA, SVEN]],
  ])('is refused with %s (LS-331)', async (_, changes, by) => {
    const bytes = await issue(draft(changes), by);
    expect(codeOf(() => parseTimeHierarchy(bytes, CONTEXT))).toBe('LS-331');
  });

  it('is refused when a byte of it changed, and as anything else (LS-331)', async () => {
    const bytes = await issue(draft());
    const text = new TextDecoder().decode(bytes);
    const changed = encodeUtf8(
      text.replace(/"payload":"(.)/, (_, first: string) => `"payload":"${first === 'e' ? 'f' : 'e'}`),
    );
    for (const other of [changed, encodeUtf8('{}'), new Uint8Array(0), await issue(draft(), [ADA, SVEN], 'L9')]) {
      expect(codeOf(() => parseTimeHierarchy(other, CONTEXT))).toBe('LS-331');
    }
  });

  it('never goes back, and has one text for each number (LS-332)', async () => {
    const files = openNodeFileSystem(directory);
    const open = async (changes: Partial<TimeHierarchy>): Promise<ReturnType<typeof parseTimeHierarchy>> =>
      parseTimeHierarchy(await issue(draft(changes)), CONTEXT);
    const third = await open({});
    await requireNewest(third, files);
    await requireNewest(third, files);
    await requireNewest(await open({ version: 4 }), files);
    await expect(requireNewest(third, files)).rejects.toMatchObject({ code: 'LS-332' });
    await expect(requireNewest(await open({ version: 4, minSamples: 4 }), files)).rejects.toMatchObject({
      code: 'LS-332',
    });
    await requireNewest(await open({ version: 5 }), files);
  });
});

describe('a time service under a hierarchy', () => {
  it('is SANE with the sources it lists, as it lists them', async () => {
    expect((await judge(HONEST)).reasons).toEqual([]);
  });

  it.each<[string, string, string, readonly SourceReading[]]>([
    ['a foreign source is followed', 'LS-333', 'INSANE', [...HONEST, source('192.0.2.1')]],
    ['a foreign source stands by', 'LS-333', 'DEGRADED', [...HONEST, source('192.0.2.1', { state: 'spare' })]],
    ['a listed source is missing', 'LS-333', 'DEGRADED', HONEST.slice(0, 2)],
    [
      'NTS is demanded and not there',
      'LS-334',
      'INSANE',
      [source('10.0.0.1', { authentication: 'none' }), ...HONEST.slice(1)],
    ],
    [
      'NTS is demanded and nobody tells',
      'LS-334',
      'INSANE',
      [source('10.0.0.1', { authentication: null }), ...HONEST.slice(1)],
    ],
    [
      'a key is demanded of a source that stands by',
      'LS-334',
      'DEGRADED',
      [source('10.0.0.2', { state: 'spare', authentication: 'none' }), source('10.0.0.1'), source('10.0.0.3')],
    ],
    ['a source serves from too low', 'LS-335', 'INSANE', [source('10.0.0.1', { stratum: 3 }), ...HONEST.slice(1)]],
  ])('%s: %s, %s', async (_, code, verdict, sources) => {
    const { evidence, reasons } = await judge(sources);
    expect(evidence.verdict).toBe(verdict);
    expect(reasons[0]).toMatchObject({ code, verdict, subject: 'hierarchy' });
  });

  it('counts no source that breaks it', async () => {
    const { reasons } = await judge([
      source('10.0.0.1', { authentication: 'none', state: 'spare' }),
      source('10.0.0.2', { authentication: 'none', state: 'spare' }),
      source('10.0.0.3'),
    ]);
    expect(reasons.map(({ subject }) => subject)).toContain('sources');
  });

  it('is DEGRADED when the hierarchy ran out (LS-331)', async () => {
    const { evidence, reasons } = await judge(HONEST, Date.UTC(2027, 6, 1));
    expect(evidence.verdict).toBe('DEGRADED');
    expect(reasons).toMatchObject([{ code: 'LS-331' }]);
  });
});

describe.skipIf(!hasChrony())('needs chrony: the hierarchy against real daemons', { timeout: 60_000 }, () => {
  let network: TimeNetwork;
  beforeEach(() => {
    network = new TimeNetwork();
  });
  afterEach(() => network.close());

  /** The verdict once the daemon has made up its mind, by a hierarchy that lists these. */
  async function judgeReal(
    client: Daemon,
    sources: TimeHierarchy['sources'],
    isAwaited: (judgement: TimeJudgement) => boolean,
  ): Promise<TimeJudgement> {
    const limits = { ...LIMITS, minSources: 1 };
    const lasting = { sane: limits, degraded: { ...limits, minSources: 0, maxFalsetickers: 1, maxOffsetMs: 5000 } };
    const { document, policy } = parseTimeHierarchy(await issue(draft({ sources, ...lasting })), CONTEXT);
    const chrony = new ChronyTimeSource({ command: client, programPath: CHRONYC });
    let judgement: TimeJudgement | null = null;
    await until(async () => {
      judgement = judgeTimeSource(chrony.name, await chrony.read(), policy, { document, now: NOW });
      return isAwaited(judgement);
    });
    return judgement as unknown as TimeJudgement;
  }

  const listed = ({ host }: Daemon, maxStratum = 6): TimeHierarchy['sources'][number] => {
    return { address: host, authentication: 'none', maxStratum };
  };
  const worst = (code: string, verdict: string) => (judgement: TimeJudgement) =>
    judgement.evidence.verdict === verdict && judgement.reasons.some((reason) => reason.code === code);

  it('A17: a daemon that lies alone is nothing to go by, however sure chrony is of it, when nobody approved it', async () => {
    const honest = await network.serve();
    const liar = await network.serveWrong(3 * 3_600_000);
    const client = await network.follow([liar]);
    const judgement = await judgeReal(client, [listed(honest)], worst('LS-333', 'INSANE'));
    expect(judgement.reasons.find(({ code }) => code === 'LS-333')?.observed).toContain(liar.host);
  });

  it('is SANE with the one that is listed, and not with authentication or a stratum it does not have', async () => {
    const honest = await network.serve();
    const client = await network.follow([honest]);
    await judgeReal(client, [listed(honest)], ({ evidence }) => evidence.verdict === 'SANE');
    await judgeReal(client, [{ ...listed(honest), authentication: 'nts' }], worst('LS-334', 'INSANE'));
    await judgeReal(client, [listed(honest, 4)], worst('LS-335', 'INSANE'));
  });
});
