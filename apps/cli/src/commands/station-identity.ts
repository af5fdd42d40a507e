// SPDX-License-Identifier: Apache-2.0
import { defineCommand } from '../command.ts';
import {
  stationEnrollOptions,
  stationInitOptions,
  stationRetireOptions,
  trustAdmitOptions,
  trustAuthorityOptions,
  trustCertifyLineOptions,
} from '../options/station-identity.ts';

export const stationInitCommand = defineCommand({
  path: ['station', 'init'],
  summary: 'Sets a station up from its work sheet: keys, the root it starts from, and its configuration.',
  examples: [
    { command: 'witnessmark station init --data st-07', note: 'asks for everything, one question after the other' },
    {
      command:
        'witnessmark station init --data st-07 --station ST-07 --line L3 --plant PEN --line-url http://127.0.0.1:7300 --repository stick/trust --root-fingerprint "TEXT FROM PAPER" --station-key keys/station.pem --sku GW-210 --hw-version A',
      note: 'a trial on one machine, without questions',
    },
    {
      command:
        "witnessmark station init --data st-07 --line-url https://10.2.0.5:7443 --station-key 'pkcs11:token=ST-07;serial=1f2e;object=station?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/witnessmark/pin' --connection-key 'pkcs11:token=ST-07;serial=1f2e;object=station-connection?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/witnessmark/pin'",
      note: 'keys that stay in a token; asks for the rest',
    },
  ],
  args: [],
  options: stationInitOptions,
  exits: {
    0: 'the station is set up; next it is enrolled',
    1: 'the trust repository does not verify',
    4: 'refused: another root than the one on paper, or a line without TLS',
    6: 'the token does not answer',
  },
  run: async (input) => (await import('../actions/station-init.ts')).stationInit(input),
});

export const stationEnrollCommand = defineCommand({
  path: ['station', 'enroll'],
  summary: 'Asks the office to enrol this station, with a fingerprint for paper; installs and checks the answer.',
  examples: [
    {
      command: 'witnessmark station enroll --data st-07 --out stick/st-07.json',
      note: 'the request, and its fingerprint',
    },
    { command: 'witnessmark station enroll --data st-07 --answer stick/answer.json', note: 'the way back' },
    {
      command: 'witnessmark station enroll --data st-07 --again',
      note: 'a new request, after a repair of the machine',
    },
  ],
  args: [],
  options: stationEnrollOptions,
  exits: {
    0: 'the request is made, or the station is enrolled',
    4: 'refused: the answer does not fit this station',
    5: 'the answer is installed; holders still have to sign for the key',
    6: 'token, TPM or line do not answer',
  },
  run: async (input) => (await import('../actions/station-enroll.ts')).stationEnroll(input),
});

export const stationRetireCommand = defineCommand({
  path: ['station', 'retire'],
  summary: 'Ends a station: signed, logged, refused by the line from then on; its keys are destroyed when asked for.',
  examples: [
    { command: 'witnessmark station retire --data st-07 --reason "replaced by ST-09"', note: 'signed by the station' },
    {
      command: 'witnessmark station retire --data st-07 --reason "disk lost" --key sam.pem',
      note: 'signed by a supervisor, when the station key is lost',
    },
    {
      command: 'witnessmark station retire --data st-07 --reason "line closed" --destroy-keys',
      note: 'asks for four characters of the digest, then ends the keys for good',
    },
  ],
  args: [],
  options: stationRetireOptions,
  exits: {
    0: 'the retirement is logged',
    4: 'refused by the line',
    6: 'token or line do not answer; nothing was destroyed, run it again',
  },
  run: async (input) => (await import('../actions/station-retire.ts')).stationRetire(input),
});

export const trustAdmitCommand = defineCommand({
  path: ['trust', 'admit'],
  summary:
    'Answers the request of a station whose fingerprint came on paper: proposes its key, issues its certificate.',
  examples: [
    {
      command: 'witnessmark trust admit --data site --request st-07.json --key alex.pem --out answer.json',
      note: 'asks for the fingerprint; a station on the machine of its line',
    },
    {
      command:
        'witnessmark trust admit --data site --request st-07.json --key alex.pem --authority-key ca.pem --authority ca.crt --out answer.json',
      note: 'with a certificate for its connections',
    },
    {
      command:
        'witnessmark trust admit --config office.json --request st-07.json --fingerprint "TEXT FROM PAPER" --key alex.pem --ticket SEC-9 --reason "new station" --out answer.json --json',
      note: 'without questions',
    },
  ],
  args: [],
  options: trustAdmitOptions,
  exits: {
    0: 'the change is proposed and the answer is written',
    4: 'refused: the paper belongs to another request, or the request does not hold',
    6: 'a token does not answer',
  },
  run: async (input) => (await import('../actions/trust-admit.ts')).trustAdmit(input),
});

export const trustAuthorityCommand = defineCommand({
  path: ['trust', 'authority'],
  summary: 'Makes the authority that issues the certificates of stations and line servers of a site.',
  examples: [
    { command: 'witnessmark trust authority --key ca.pem --organization PEN --out ca.crt', note: 'a trial' },
    {
      command:
        "witnessmark trust authority --key 'pkcs11:token=site;serial=1f2e;object=station-ca?module-path=/usr/lib/softhsm/libsofthsm2.so' --organization PEN --out ca.crt",
      note: 'its key in a token; the PIN is asked for',
    },
    {
      command: 'witnessmark trust authority --key ca.pem --organization PEN --days 1825 --out ca.crt --json',
      note: 'for five years',
    },
  ],
  args: [],
  options: trustAuthorityOptions,
  exits: {
    0: 'the certificate is written',
    4: 'refused: the key is not what it must be',
    6: 'the token does not answer',
  },
  run: async (input) => (await import('../actions/trust-authority.ts')).trustAuthority(input),
});

export const trustCertifyLineCommand = defineCommand({
  path: ['trust', 'certify-line'],
  summary: 'Issues the certificate a line server shows to its stations.',
  examples: [
    {
      command:
        'witnessmark trust certify-line --authority-key ca.pem --authority ca.crt --key line-tls.pem --host line-3.pen.example --out line-tls.crt',
      note: 'makes the key when it is not there',
    },
    {
      command:
        'witnessmark trust certify-line --authority-key ca.pem --authority ca.crt --key line-tls.pem --host 10.2.0.5 --host line-3 --out line-tls.crt',
      note: 'reached by address and by name',
    },
    {
      command:
        'witnessmark trust certify-line --authority-key ca.pem --authority ca.crt --key line-tls.pem --host localhost --days 30 --out line-tls.crt --json',
      note: 'for a rehearsal',
    },
  ],
  args: [],
  options: trustCertifyLineOptions,
  exits: {
    0: 'the certificate is written',
    4: 'refused: the key is not what it must be',
    6: 'the token does not answer',
  },
  run: async (input) => (await import('../actions/trust-authority.ts')).trustCertifyLine(input),
});
