// SPDX-License-Identifier: Apache-2.0
/** Keys of a station that never leave their token, by one way for SoftHSM and for a TPM: statements and TLS alike. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseStatement, stationStart } from '@witnessmark/attestation';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isEngineInstalled } from '@witnessmark/enrolment';
import { createSoftHsm, hasSoftHsm, PIN, SOFTHSM_MODULE } from '../../../packages/custody/test/support/soft-hsm.ts';
import {
  hasTpm,
  makeAttestationKey,
  makeTpmToken,
  startTpm,
  TPM_MODULE,
  TPM_PIN,
} from '../../../packages/enrolment/test/support/tpm.ts';
import type { StationConfig } from '../src/config.ts';
import { parseProof } from '../src/station-proof.ts';
import { run, runProcess } from './run.ts';
import { TestSite } from './site.ts';
import { StationSite } from './station-site.ts';

interface Token {
  readonly modulePath: string;
  readonly serial: string;
  readonly pin: string;
  readonly environment: Readonly<Record<string, string>>;
  /** What `station init` is told besides. */
  readonly more: readonly string[];
  end(): Promise<void>;
}

const LABEL = 'ST-21';
const ATTESTATION_KEY = '0x81010002';

// eslint-disable-next-line @typescript-eslint/require-await -- the other one takes its time
async function softHsm(): Promise<Token> {
  const hsm = createSoftHsm();
  return {
    modulePath: SOFTHSM_MODULE,
    serial: hsm.createToken(LABEL),
    pin: PIN,
    environment: { SOFTHSM2_CONF: hsm.env['SOFTHSM2_CONF'] ?? '' },
    more: [],
    // eslint-disable-next-line @typescript-eslint/require-await -- as above
    end: async () => {
      hsm.remove();
    },
  };
}

async function tpm(): Promise<Token> {
  const own = await startTpm();
  makeAttestationKey(own, ATTESTATION_KEY);
  return {
    modulePath: TPM_MODULE,
    serial: makeTpmToken(own, LABEL),
    pin: TPM_PIN,
    environment: { ...own.environment, TPM2_PKCS11_LOG_LEVEL: '0', TSS2_LOG: 'all+none' },
    more: ['--tpm-key', ATTESTATION_KEY, '--tpm-endorsement-key', ATTESTATION_KEY, '--tpm-tcti', own.tcti],
    end: () => own.end(),
  };
}

const KINDS = [
  { kind: 'SoftHSM', isHere: hasSoftHsm && isEngineInstalled(), open: softHsm },
  { kind: 'a TPM', isHere: hasTpm && isEngineInstalled(), open: tpm },
];

describe.each(KINDS)('a station whose keys are in $kind', ({ kind, isHere, open }) => {
  let token: Token;
  let place: StationSite;

  beforeAll(async () => {
    if (!isHere) return;
    token = await open();
    place = await StationSite.make(await TestSite.make());
    // Each a process of its own: what was loaded into one is not there in the next.
    place.atStation = (argv) => runProcess(argv, { environment: token.environment });
    writeFileSync(place.site.path('pin'), `${token.pin}\n`, { mode: 0o600 });
  }, 90_000);
  afterAll(async () => {
    if (!isHere) return;
    await place.end();
    await token.end();
  });

  function reference(object: string, pinFile = 'pin'): string {
    const pin = `pin-source=file:${place.site.path(pinFile)}`;
    return `pkcs11:token=${LABEL};serial=${token.serial};object=${object}?module-path=${token.modulePath}&${pin}`;
  }

  it.skipIf(!isHere)(
    'A12 is enrolled with keys made in it, signs with one and connects with the other, and does nothing without it',
    async () => {
      const keys = { stationKey: reference('station'), connectionKey: reference('station-connection') };
      await place.enrol(LABEL, { ...keys, more: token.more });
      const found = await place.atStation(['doctor', '--data', place.data(LABEL)]);
      expect(found.stdout).toMatch(/ok +signer +token "ST-21".*does not leave it/);
      expect(found.stdout).toMatch(/ok +enrolment +in force for ST-21, selfReported/);
      expect(found.stdout).toMatch(/ok +line server .*answers/);
      if (kind === 'a TPM') expect(found.stdout).toMatch(/ok +machine .*tpm/);

      // The disk without the token: the same files, and nothing to sign with.
      mkdirSync(place.site.path('nothing', 'tokens'), { recursive: true });
      const empty = place.site.path('nothing', 'softhsm2.conf');
      writeFileSync(
        empty,
        `directories.tokendir = ${place.site.path('nothing', 'tokens')}\nobjectstore.backend = file\n`,
      );
      const without = { SOFTHSM2_CONF: empty, TPM2_PKCS11_STORE: place.site.path('nothing') };
      const copied = await runProcess(['station', 'retire', '--data', place.data(LABEL), '--reason', 'x'], {
        environment: { ...token.environment, ...without },
      });
      expect(copied.exit).toBe(6);
      expect(copied.stderr).toMatch(/CU-10[12]/);
    },
    120_000,
  );

  it.skipIf(!isHere)(
    'measures itself on record; with a TPM the measurement is quoted, and the line holds the quote against the enrolled TPM',
    async () => {
      const { site } = place;
      const root = site.path('root');
      mkdirSync(join(root, 'etc'), { recursive: true });
      writeFileSync(join(root, 'etc', 'passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
      const record = site.path('build');
      const here = ['--data', place.data(LABEL)];
      place.editStation(LABEL, (config) => {
        config.measurement = { record, root } as NonNullable<StationConfig['measurement']>;
      });
      const people = ['--key', site.key('supervisor-sam'), '--approver', 'ben', '--reason', 'new', '--ticket', 'ST-1'];
      const proposed = await run(['station-build', 'propose', ...here, ...people, '--out', record, '--json']);
      const { digest } = JSON.parse(proposed.stdout) as { digest: string };
      const approval = ['--key', site.key('approver-ben'), '--confirm', digest.slice(0, 4)];
      const approved = await place.atStation(['station-build', 'approve', record, ...here, ...approval]);
      expect(`${approved.exit} ${approved.stderr}`).toMatch(/^0 /);
      const proof = site.path('proof.json');
      const asked = ['--nonce', 'audit-2026-11'];
      const proved = await place.atStation(['station', 'prove', ...here, ...asked, '--out', proof]);
      expect(`${proved.exit} ${proved.stderr}`).toMatch(/^0 /);
      expect(await run(['station', 'verify-proof', proof, ...asked, ...here])).toMatchObject({ exit: 0 });
      const { entry } = parseProof(Uint8Array.from(readFileSync(proof)));
      const { quote } = parseStatement(stationStart, entry.envelope.payload).predicate;
      expect(quote === null).toBe(kind !== 'a TPM');
    },
    120_000,
  );

  it.skipIf(!isHere)(
    'ends its keys in it',
    async () => {
      const retired = await place.atStation([
        'station',
        'retire',
        '--data',
        place.data(LABEL),
        '--reason',
        'end',
        '--json',
      ]);
      const { digest } = JSON.parse(retired.stdout) as { digest: string };
      const confirm = ['--destroy-keys', '--confirm', digest.slice(0, 4)];
      const ended = await place.atStation(['station', 'retire', '--data', place.data(LABEL), ...confirm]);
      expect(ended.stdout).toContain('2 of 2 keys were destroyed');
      // Gone, not hidden: asked for once more, there is none to end.
      const request = await place.atStation(['station', 'retire', '--data', place.data(LABEL)]);
      expect(request.exit).not.toBe(0);
    },
    60_000,
  );

  it.skipIf(!isHere || kind !== 'SoftHSM')(
    'sends a wrong PIN once, and says what is wrong',
    async () => {
      writeFileSync(place.site.path('wrong-pin'), 'wrong-pin-0\n', { mode: 0o600 });
      const keys = {
        stationKey: reference('station', 'wrong-pin'),
        connectionKey: reference('connection', 'wrong-pin'),
      };
      const refused = await place.init('ST-22', keys);
      expect(refused.stderr).toContain('CU-105');
      expect(refused.stderr).not.toContain('wrong-pin-0');
    },
    60_000,
  );
});
