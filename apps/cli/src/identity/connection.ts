// SPDX-License-Identifier: Apache-2.0
/** How a station reaches its line: by TLS with its own certificate, or by plain HTTP inside one machine. */
import { openLineTransport, demandProtection, type ConnectionKey, type LineTransport } from '@witnessmark/enrolment';
import {
  loadSoftwareKey,
  parseKeyReference,
  pinFromDescriptor,
  pinFromFile,
  type PinSource,
} from '@witnessmark/custody';
import type { LoadedConfig, StationConfig } from '../config.ts';
import { CliError, usageError } from '../error.ts';
import { IdentityDirectory } from './identity-directory.ts';

/** Nobody has looked at the token yet: OpenSSL opens it by itself. */
const NOT_SEEN = { manufacturer: '', model: '', firmware: '', slot: '' };

export interface LineConnection {
  /** What a client of the line is given; nothing for the platform's own. */
  readonly client: { readonly fetch?: typeof fetch };
  close(): void;
}

/** Throws `ERR_CLI_USAGE` for what is no address of a line. */
export function parseLineUrl(text: string): URL {
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol)) return url;
  throw usageError('--line takes a URL, for example http://127.0.0.1:7300');
}

/** Throws ID-108 for plain HTTP beyond this machine, `ERR_CLI_CONFIG` before an answer was installed. */
export async function openLineConnection(
  config: LoadedConfig<StationConfig>,
  lineUrl: string = config.values.lineUrl,
): Promise<LineConnection> {
  const { protocol, hostname } = parseLineUrl(lineUrl);
  demandProtection(hostname, protocol === 'https:');
  if (protocol !== 'https:') return { client: {}, close: () => undefined };
  const transport = await openTransport(config);
  return {
    client: { fetch: transport.fetch },
    close: () => {
      transport.close();
    },
  };
}

async function openTransport({ values, pathOf, file }: LoadedConfig<StationConfig>): Promise<LineTransport> {
  const { identity } = values;
  const directory = identity === undefined ? null : new IdentityDirectory(pathOf(identity.directory));
  const authority = directory?.readPem('authority') ?? null;
  if (directory === null || authority === null) {
    throw new CliError('ERR_CLI_CONFIG', `${file}: a line behind https needs the answer to an enrolment`);
  }
  const certificate = directory.readPem('certificate');
  const reference = identity?.connectionKey;
  const client =
    certificate === null || reference === undefined
      ? null
      : { certificate, key: await openConnectionKey(reference, pathOf) };
  return openLineTransport({ authority, client });
}

/**
 * The key of a connection, of a station or of a line. OpenSSL opens a token by itself, so that its PIN has to come from
 * where the reference says. Throws `ERR_CLI_CONFIG`, CU-112, or what loading a key file throws.
 */
export async function openConnectionKey(reference: string, pathOf: (path: string) => string): Promise<ConnectionKey> {
  const parsed = parseKeyReference(reference, pathOf);
  if (parsed.kind === 'file') return { kind: 'file', pem: Buffer.from(loadSoftwareKey(parsed.path).exportPem()) };
  if (parsed.kind === 'custody') {
    throw new CliError('ERR_CLI_CONFIG', 'the key of a connection is a file or in a token; custody signs statements');
  }
  const { modulePath, token, key, pin } = parsed;
  if (pin === null) throw new CliError('ERR_CLI_CONFIG', 'the key of a connection needs a pin-source in its reference');
  const source: PinSource = 'file' in pin ? pinFromFile(pin.file) : pinFromDescriptor(pin.descriptor);
  const text = await source({
    expected: token,
    found: { ...NOT_SEEN, ...token },
    purpose: 'login',
    keyLabel: key.label ?? null,
    tries: 'unknown',
  });
  return { kind: 'token', modulePath, token, key, pin: text };
}
