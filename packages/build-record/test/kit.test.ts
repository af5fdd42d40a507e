// SPDX-License-Identifier: Apache-2.0
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  formatKitList,
  KIT_LIMITS,
  LIST_FILE,
  listDrift,
  makeKit,
  manifestDigest,
  measureStation,
  openKit,
  openMachine,
  parseKitList,
  rebuildStation,
  withoutTolerated,
  type BuildManifest,
  type Kit,
  type KitList,
  type KitPlan,
  type MadeKit,
} from '@witnessmark/build-record';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createThrowAwayRoot, type ThrowAwayRoot } from './throw-away-root.ts';

const AGENT = 'ab'.repeat(32);
const PLAN: KitPlan = {
  hashedPackages: ['flashrom'],
  hashedPaths: ['/etc/witnessmark'],
  configuration: ['/etc/witnessmark/station.json'],
  programmers: [{ model: 'serprog', serial: 'P-7', firmware: '1.2' }],
  fixtures: ['bed of nails 3'],
};

let root: ThrowAwayRoot;
let folder: string;

beforeEach(() => {
  root = createThrowAwayRoot();
  folder = mkdtempSync(join(tmpdir(), 'witnessmark-kit-'));
});

afterEach(() => {
  root.dispose();
  rmSync(folder, { recursive: true, force: true });
});

function measure(): BuildManifest {
  return measureStation(openMachine(root.path), { ...PLAN, agentDigest: AGENT });
}

function make(
  manifest = measure(),
  findSecret = (): Promise<string | null> => Promise.resolve(null),
): Promise<MadeKit> {
  return makeKit({ machine: openMachine(root.path), manifest, plan: PLAN, directory: join(folder, 'kit'), findSecret });
}

async function open(): Promise<Kit> {
  const manifest = measure();
  const { digest } = await make(manifest);
  return openKit(join(folder, 'kit'), { kitDigest: digest, manifestDigest: manifestDigest(manifest) });
}

describe('a kit', () => {
  it('holds what a rebuild writes: files by digest with owner and mode, links, and the list of packages', async () => {
    chmodSync(join(root.path, '/usr/sbin/flashrom'), 0o4755);
    const { list } = await open();
    expect(list.files.map(({ path, mode }) => [path, mode.toString(8)])).toEqual(
      expect.arrayContaining([
        ['/usr/sbin/flashrom', '4755'],
        ['/etc/witnessmark/station.json', '644'],
        ['/etc/sudoers', '644'],
        ['/etc/cron.d/backup', '644'],
        ['/home/line/.ssh/authorized_keys', '644'],
        ['/var/lib/dpkg/status', '644'],
        ['/var/lib/dpkg/info/flashrom.list', '644'],
      ]),
    );
    expect(list.links).toEqual([expect.objectContaining({ path: '/usr/sbin/flash', target: 'flashrom' })]);
    expect(list.plan).toEqual(PLAN);
    expect(readdirSync(join(folder, 'kit', 'content')).length).toBeGreaterThan(5);
  });

  it('I16: never holds a password file, nor what somebody calls a secret (BX-121)', async () => {
    const text = readdirSync(folder, { recursive: true });
    expect(text).toEqual([]);
    await expect(make(measure(), () => Promise.resolve('a private key'))).rejects.toMatchObject({ code: 'BX-121' });
    rmSync(join(folder, 'kit'), { recursive: true, force: true });
    await make();
    for (const name of readdirSync(join(folder, 'kit', 'content'))) {
      expect(readFileSync(join(folder, 'kit', 'content', name), 'utf8')).not.toContain('notaset');
    }
  });

  it('is not made of what changed after it was measured, nor in a directory that is in use', async () => {
    const manifest = measure();
    root.write('/usr/sbin/flashrom', 'another');
    await expect(make(manifest)).rejects.toMatchObject({ code: 'ERR_BUILD_RECORD_UNREADABLE' });
    rmSync(join(folder, 'kit'), { recursive: true, force: true });
    await make();
    await expect(make()).rejects.toMatchObject({ code: 'ERR_BUILD_RECORD_DIRECTORY' });
  });

  it('A21: is believed by digest alone (LS-411)', async () => {
    const { digest } = await open();
    const expected = { kitDigest: digest, manifestDigest: manifestDigest(measure()) };
    const kit = join(folder, 'kit');
    for (const name of ['build.txt', LIST_FILE]) {
      const text = readFileSync(join(kit, name), 'utf8');
      writeFileSync(join(kit, name), text.replace('flashrom', 'flashr0m'));
      expect(() => openKit(kit, expected)).toThrow(expect.objectContaining({ code: 'LS-411' }));
      rmSync(join(kit, name));
      expect(() => openKit(kit, expected)).toThrow(expect.objectContaining({ code: 'LS-411' }));
      writeFileSync(join(kit, name), text);
    }
    expect(openKit(kit, expected).digest).toBe(digest);
  });
});

describe('a rebuild', () => {
  const rebuild = (kit: Kit): ReturnType<typeof rebuildStation> =>
    rebuildStation({ kit, root: join(folder, 'new'), agentDigest: AGENT, tolerated: [] });

  it('is what was approved, with passwords to be set by people', async () => {
    chmodSync(join(root.path, '/usr/sbin/flashrom'), 0o4755);
    const built = rebuild(await open());
    expect(built).toMatchObject({ drift: [], passwordsToSet: ['line'] });
    expect(statSync(join(folder, 'new/usr/sbin/flashrom')).mode & 0o7777).toBe(0o4755);
    expect(readlinkSync(join(folder, 'new/usr/sbin/flash'))).toBe('flashrom');
    expect(readFileSync(join(folder, 'new/etc/shadow'), 'utf8')).toBe('line:!:::::::\nroot:!:::::::\n');
  });

  it('names what is different: software that measures, and what was not in the kit', async () => {
    const kit = await open();
    const { drift } = rebuildStation({ kit, root: join(folder, 'new'), agentDigest: 'cd'.repeat(32), tolerated: [] });
    expect(listDrift(drift).map(({ section, change }) => `${section} ${change}`)).toEqual([
      'agent missing',
      'agent added',
    ]);
  });

  it('writes nothing when content is damaged or missing (LS-411), nor into a root that is in use', async () => {
    const kit = await open();
    const content = join(kit.directory, 'content', kit.list.files[0]?.digest ?? '');
    const bytes = readFileSync(content);
    for (const damage of [(): void => writeFileSync(content, 'x'), (): void => rmSync(content)]) {
      damage();
      expect(() => rebuild(kit)).toThrow(expect.objectContaining({ code: 'LS-411' }));
      expect(readdirSync(folder)).toEqual(['kit']);
    }
    writeFileSync(content, bytes);
    mkdirSync(join(folder, 'new/etc'), { recursive: true });
    expect(() => rebuild(kit)).toThrow(expect.objectContaining({ code: 'ERR_BUILD_RECORD_DIRECTORY' }));
  });

  it('writes no file through a link that leads out of the root', async () => {
    const kit = await open();
    const { list } = kit;
    const [file] = list.files;
    if (file === undefined) throw new Error('the kit is empty');
    const outside = join(folder, 'outside');
    mkdirSync(outside);
    const links = [{ path: '/opt', target: outside, uid: 0, gid: 0 }];
    const files = [{ ...file, path: '/opt/escaped' }];
    expect(() => rebuild({ ...kit, list: { ...list, files, links } })).toThrow('EEXIST');
    expect(readdirSync(outside)).toEqual([]);
  });
});

describe('lines that come and go', () => {
  it('are left out of the digest, so that it is the same with and without them', () => {
    const before = withoutTolerated(measure(), ['usb *', 'ports udp*']);
    const strict = withoutTolerated(measure(), ['usb *']);
    root.remove('/sys/bus/usb/devices/1-1');
    root.remove('/proc/net/udp6');
    expect(manifestDigest(withoutTolerated(measure(), ['usb *', 'ports udp*']))).toBe(manifestDigest(before));
    expect(manifestDigest(withoutTolerated(measure(), ['usb *']))).not.toBe(manifestDigest(strict));
  });
});

describe('the list of a kit', () => {
  const path = fc
    .array(fc.string({ unit: fc.constantFrom('a', 'ä', ' ', '%', '.'), minLength: 1, maxLength: 4 }), {
      minLength: 1,
      maxLength: 3,
    })
    .filter((parts) => parts.every((part) => part !== '.' && part !== '..'))
    .map((parts) => `/${parts.join('/')}`);
  const file = fc.record({
    path,
    digest: fc.constantFrom('11'.repeat(32), '22'.repeat(32)),
    length: fc.nat(1000),
    uid: fc.nat(100),
    gid: fc.nat(100),
    mode: fc.nat(0o7777),
  });
  const LIST: KitList = { manifestDigest: AGENT, plan: PLAN, files: [], links: [] };

  it('comes back as it was', () => {
    fc.assert(
      fc.property(fc.uniqueArray(file, { selector: ({ path: name }) => name, maxLength: 5 }), (files) => {
        const read = parseKitList(formatKitList({ ...LIST, files }));
        expect(new Set(read.files.map((entry) => JSON.stringify(entry)))).toEqual(
          new Set(
            files.map(({ path: name, digest, length, uid, gid, mode }) =>
              JSON.stringify({ path: name, digest, length, uid, gid, mode }),
            ),
          ),
        );
      }),
    );
  });

  const good = new TextDecoder().decode(
    formatKitList({
      ...LIST,
      files: [{ path: '/a', digest: AGENT, length: 1, uid: 0, gid: 0, mode: 0o644 }],
    }),
  );
  it.each<[string, (text: string) => string]>([
    ['another version', (text) => text.replace('v1', 'v2')],
    ['no end', (text) => text.slice(0, -1)],
    ['no manifest', (text) => text.replace(/manifest .*\n/, '')],
    ['an unknown line', (text) => text.replace('manifest ', 'Xtra x\nmanifest ')],
    ['lines out of order', (text) => text.replace(/(configuration .*\n)(file .*\n)/, '$2$1')],
    ['a path that climbs', (text) => text.replace('file /a ', 'file /../a ')],
    ['a path that is not absolute', (text) => text.replace('file /a ', 'file a ')],
    ['a path with a zero byte', (text) => text.replace('file /a ', 'file /a%00 ')],
    ['a path that is not UTF-8', (text) => text.replace('file /a ', 'file /%FF ')],
    ['a digest of another length', (text) => text.replace('sha256:abab', 'sha256:ab')],
    ['a negative length', (text) => text.replace(' 1 0:0', ' -1 0:0')],
    ['a file that is too long', (text) => text.replace(' 1 0:0', ` ${KIT_LIMITS.maxFileBytes + 1} 0:0`)],
    ['an owner without a group', (text) => text.replace(' 1 0:0', ' 1 0')],
    ['a mode that is no mode', (text) => text.replace(' 0644', ' 0648')],
    ['a path twice', (text) => text.replace(/(file \/a .*)0644\n/, '$10644\n$10755\n')],
    ['a line with too few fields', (text) => text.replace(' 0644', '')],
  ])('is refused: %s', (_, damage) => {
    expect(damage(good)).not.toBe(good);
    expect(() => parseKitList(new TextEncoder().encode(damage(good)))).toThrow(
      expect.objectContaining({ code: 'ERR_BUILD_RECORD_FORMAT' }),
    );
  });

  it('takes a file of the longest length, and refuses one byte too many of a list', () => {
    const longest = good.replace(' 1 0:0', ` ${KIT_LIMITS.maxFileBytes} 0:0`);
    expect(parseKitList(new TextEncoder().encode(longest)).files[0]?.length).toBe(KIT_LIMITS.maxFileBytes);
    expect(() => parseKitList(new Uint8Array(KIT_LIMITS.maxListBytes + 1))).toThrow(
      expect.objectContaining({ code: 'ERR_BUILD_RECORD_FORMAT' }),
    );
  });
});
