// SPDX-License-Identifier: Apache-2.0
/** Archives that strangers could send (A38): one defect each, and the neighbours without it. */
import { caseMaker, toJsonFile, type VectorFormat } from '../../../../vectors/vector-case.ts';
import type { BoundaryLimits } from '../../src/index.ts';
import { rawGzip } from '../support/raw-deflate.ts';
import { paxHeader, rawTar, rawTarEntry, TAR_END, type RawTarEntry } from '../support/raw-tar.ts';
import { descriptor, extraField, rawZip, type RawZipEntry } from '../support/raw-zip.ts';

/** Small, so that a case at the limit is a small file. */
export const VECTOR_LIMITS: BoundaryLimits = {
  maxEntries: 8,
  maxFileBytes: 2048,
  maxTotalBytes: 4096,
  maxPathBytes: 120,
  maxNameBytes: 60,
  maxDepth: 4,
  maxNesting: 2,
  maxExaminedBytes: 16_384,
};

const tar = caseMaker('input.tar');
const gz = caseMaker('input.tar.gz');
const zip = caseMaker('input.zip');

const HELLO: RawTarEntry = { name: 'hello.txt', content: 'hello\n' };
const ZIP_HELLO: RawZipEntry = { name: 'hello.txt', content: 'hello\n' };
const SYMLINK_MODE = 0xa1ff;

/** A name in both containers; the rules for names are the same. */
const names: readonly (readonly [name: string, code: string, why: string, path: string])[] = [
  ['absolute', 'BX-101', 'a path from the root of the disk', '/etc/passwd'],
  ['parent', 'BX-101', 'a path that climbs out', '../escape.txt'],
  ['parent-inside', 'BX-101', 'a path that climbs and comes back', 'a/../b.txt'],
  ['dot-step', 'BX-101', 'a step that goes nowhere', 'a/./b.txt'],
  ['double-slash', 'BX-101', 'an empty step', 'a//b.txt'],
  ['backslash', 'BX-101', 'a separator on Windows', 'a\\..\\b.txt'],
  ['drive-letter', 'BX-101', 'a drive on Windows', 'C:evil.txt'],
  ['alternate-stream', 'BX-101', 'an alternate stream on NTFS', 'a.txt:hidden'],
  ['control-character', 'BX-101', 'a name that clears the line when it is listed', 'a\u001b[2K.txt'],
  ['line-break', 'BX-101', 'a name that looks like two in a list', 'a\nb.txt'],
  ['right-to-left', 'BX-101', 'a name shown with its end first', 'a\u202etxt.exe'],
  ['device-name', 'BX-101', 'a device on Windows', 'a/NUL.txt'],
  ['trailing-dot', 'BX-101', 'a name that Windows shortens', 'a.txt.'],
  ['trailing-space', 'BX-101', 'a name that Windows shortens', 'a.txt '],
  ['long-name', 'BX-101', 'a name of one byte more than allowed', 'n'.repeat(61)],
  ['deep-path', 'BX-101', 'a path of one step more than allowed', 'a/b/c/d/e'],
];

const collisions: readonly (readonly [name: string, why: string, paths: readonly [string, string]])[] = [
  ['duplicate', 'one name twice', ['a.txt', 'a.txt']],
  ['case', 'names that only case tells apart', ['a.txt', 'A.TXT']],
  ['case-of-directory', 'directories that only case tells apart', ['dir/a.txt', 'DIR/b.txt']],
  ['unicode-form', 'one name composed and decomposed', ['caf\u00e9.txt', 'cafe\u0301.txt']],
  ['sharp-s', 'names that are one in capitals', ['stra\u00dfe', 'strasse']],
  ['file-as-directory', 'a file that is a directory as well', ['a', 'a/b.txt']],
];

const sized = (size: number): Uint8Array => new Uint8Array(size).fill(0x61);
const files = (count: number): RawTarEntry[] =>
  Array.from({ length: count }, (_, index) => ({ name: `file-${index}`, content: 'x' }));

export const ARCHIVE_VECTORS: VectorFormat = {
  format: 'archive',
  given: { 'given.json': toJsonFile(VECTOR_LIMITS) },
  cases: [
    tar.accepted('tar-plain', 'a file and a directory, ustar', rawTar([{ name: 'd/', type: '5' }, HELLO])),
    tar.accepted('tar-gnu', 'a header of GNU tar', rawTar([{ ...HELLO, magic: 'ustar  \0' }])),
    tar.accepted(
      'tar-pax',
      'a name and harmless facts in a pax header',
      rawTar([paxHeader(['mtime', '1.5'], ['path', 'd/\u00e9.txt']), HELLO]),
    ),
    tar.accepted('tar-prefix', 'a name in two fields', rawTar([{ ...HELLO, prefix: 'd/e' }])),
    tar.accepted(
      'tar-long-name',
      'a GNU long name',
      rawTar([
        { name: '././@LongLink', type: 'L', content: 'd/long.txt\0', magic: 'ustar  \0' },
        { ...HELLO, magic: 'ustar  \0' },
      ]),
    ),
    tar.accepted(
      'tar-dot-slash',
      'names as `tar -C DIR .` writes them',
      rawTar([
        { name: './', type: '5' },
        { ...HELLO, name: './hello.txt' },
      ]),
    ),
    tar.accepted('tar-record-padding', 'empty blocks up to the record size', rawTar([HELLO], new Uint8Array(9216))),
    tar.accepted('tar-name-at-limit', 'a name as long as allowed', rawTar([{ ...HELLO, name: 'n'.repeat(60) }])),
    tar.accepted('tar-depth-at-limit', 'a path as deep as allowed', rawTar([{ ...HELLO, name: 'a/b/c/d' }])),
    tar.accepted('tar-entries-at-limit', 'as many entries as allowed', rawTar(files(8))),
    tar.accepted('tar-file-at-limit', 'a file as large as allowed', rawTar([{ name: 'a', content: sized(2048) }])),
    tar.accepted(
      'tar-total-at-limit',
      'files as large as allowed together',
      rawTar([
        { name: 'a', content: sized(2048) },
        { name: 'b', content: sized(2048) },
      ]),
    ),
    ...names.map(([name, code, why, path]) =>
      tar.refused(`tar-${name}`, code, why, rawTar([{ ...HELLO, name: path }])),
    ),
    tar.refused(
      'tar-not-utf8',
      'BX-101',
      'a name in another encoding',
      rawTar([{ ...HELLO, name: new Uint8Array([0x61, 0xe9]) }]),
    ),
    tar.refused('tar-empty-name', 'BX-101', 'no name', rawTar([{ ...HELLO, name: '' }])),
    tar.refused(
      'tar-pax-parent',
      'BX-101',
      'a path that climbs out, in a pax header',
      rawTar([paxHeader(['path', '../../escape']), HELLO]),
    ),
    tar.refused(
      'tar-long-path',
      'BX-101',
      'a path of one byte more than allowed',
      rawTar([paxHeader(['path', `${'p'.repeat(60)}/${'p'.repeat(60)}`]), HELLO]),
    ),
    tar.refused(
      'tar-prefix-parent',
      'BX-101',
      'a path that climbs out by its prefix',
      rawTar([{ ...HELLO, prefix: '..' }]),
    ),
    ...collisions.map(([name, why, paths]) =>
      tar.refused(`tar-${name}`, 'BX-103', why, rawTar(paths.map((path) => ({ ...HELLO, name: path })))),
    ),
    tar.refused('tar-symlink', 'BX-102', 'a symbolic link', rawTar([{ name: 'a', type: '2', link: '/etc' }])),
    tar.refused('tar-hard-link', 'BX-102', 'a hard link', rawTar([HELLO, { name: 'a', type: '1', link: 'hello.txt' }])),
    tar.refused('tar-character-device', 'BX-102', 'a character device', rawTar([{ name: 'a', type: '3' }])),
    tar.refused('tar-block-device', 'BX-102', 'a block device', rawTar([{ name: 'a', type: '4' }])),
    tar.refused('tar-pipe', 'BX-102', 'a named pipe', rawTar([{ name: 'a', type: '6' }])),
    tar.refused(
      'tar-pax-link',
      'BX-102',
      'a link target in a pax header',
      rawTar([paxHeader(['linkpath', '/etc']), HELLO]),
    ),
    tar.refused('tar-sparse', 'BX-107', 'a sparse file of GNU tar', rawTar([{ name: 'a', type: 'S', content: 'x' }])),
    tar.refused(
      'tar-pax-sparse',
      'BX-107',
      'a sparse file in pax form',
      rawTar([paxHeader(['GNU.sparse.major', '1']), HELLO]),
    ),
    tar.refused(
      'tar-pax-attribute',
      'BX-107',
      'extended attributes',
      rawTar([paxHeader(['SCHILY.xattr.user.x', 'y']), HELLO]),
    ),
    tar.refused(
      'tar-global-path',
      'BX-107',
      'a name for every file',
      rawTar([{ ...paxHeader(['path', 'x']), type: 'g' }, HELLO]),
    ),
    tar.refused('tar-contiguous', 'BX-107', 'a type that readers disagree about', rawTar([{ ...HELLO, type: '7' }])),
    tar.refused(
      'tar-binary-size',
      'BX-107',
      'a size that is not written in octal',
      rawTar([{ ...HELLO, sizeField: `\u0080${'\0'.repeat(10)}\u0006` }]),
    ),
    tar.refused('tar-too-many', 'BX-104', 'one entry more than allowed', rawTar(files(9))),
    tar.refused(
      'tar-large-file',
      'BX-104',
      'a file of one byte more than allowed',
      rawTar([{ name: 'a', content: sized(2049) }]),
    ),
    tar.refused(
      'tar-large-total',
      'BX-104',
      'files of one byte more than allowed together',
      rawTar([
        { name: 'a', content: sized(2048) },
        { name: 'b', content: sized(2048) },
        { name: 'c', content: 'x' },
      ]),
    ),
    tar.refused(
      'tar-declared-bomb',
      'BX-104',
      'a declared size of 8 GiB',
      rawTar([{ name: 'a', sizeField: '77777777777\0' }]),
    ),
    tar.refused('tar-cut-off', 'BX-105', 'an archive that ends in a file', rawTarEntry({ name: 'a', size: 600 })),
    tar.refused('tar-no-end', 'BX-105', 'an archive without its end', rawTar([HELLO], new Uint8Array(0))),
    tar.refused('tar-checksum', 'BX-105', 'a header with another checksum', rawTar([{ ...HELLO, checksum: 1 }])),
    tar.refused('tar-two-sizes', 'BX-105', 'a pax header with another size', rawTar([paxHeader(['size', '3']), HELLO])),
    tar.refused(
      'tar-two-names',
      'BX-105',
      'two extended headers for one file',
      rawTar([paxHeader(['path', 'a']), paxHeader(['path', 'b']), HELLO]),
    ),
    tar.refused(
      'tar-nothing-described',
      'BX-105',
      'an extended header at the end',
      rawTar([HELLO, paxHeader(['path', 'a'])]),
    ),
    tar.refused(
      'tar-pax-length',
      'BX-105',
      'a pax record with another length',
      rawTar([{ name: 'pax', type: 'x', content: '99 path=a\n' }, HELLO]),
    ),
    tar.refused(
      'tar-directory-named-file',
      'BX-105',
      'a file with the name of a directory',
      rawTar([{ ...HELLO, name: 'a/' }]),
    ),
    tar.refused('tar-padding', 'BX-106', 'bytes in the padding', rawTar([{ ...HELLO, padding: 0x41 }])),
    tar.refused(
      'tar-behind-end',
      'BX-106',
      'bytes behind the end',
      rawTar([HELLO], Buffer.concat([TAR_END, Buffer.from('more')])),
    ),
    tar.refused(
      'tar-second-archive',
      'BX-106',
      'an archive behind the end',
      Buffer.concat([rawTar([HELLO]), rawTar([HELLO])]),
    ),
    tar.refused('tar-name-tail', 'BX-106', 'bytes behind a name', rawTar([{ ...HELLO, name: Buffer.from('a\0b') }])),
    tar.refused(
      'tar-directory-content',
      'BX-106',
      'a directory with content',
      rawTar([{ name: 'd/', type: '5', content: 'x' }]),
    ),
    tar.refused('tar-link-name', 'BX-106', 'a plain file with a link target', rawTar([{ ...HELLO, link: '/etc' }])),
    tar.refused('not-an-archive', 'BX-109', 'a text', 'just some text, longer than nothing\n'),

    gz.accepted('gzip-plain', 'a compressed tar', rawGzip(rawTar([HELLO]))),
    gz.accepted(
      'gzip-named',
      'with the name of the file in the header',
      rawGzip(rawTar([HELLO]), { flags: 8, afterHeader: Buffer.from('a.tar\0') }),
    ),
    gz.refused(
      'gzip-trailing',
      'BX-106',
      'bytes behind the end',
      rawGzip(rawTar([HELLO]), { trailing: Buffer.from('x') }),
    ),
    gz.refused(
      'gzip-second-member',
      'BX-106',
      'a second member',
      Buffer.concat([rawGzip(rawTar([HELLO])), rawGzip(rawTar([HELLO]))]),
    ),
    gz.refused('gzip-checksum', 'BX-105', 'another checksum', rawGzip(rawTar([HELLO]), { crc: 1 })),
    gz.refused('gzip-length', 'BX-105', 'another length', rawGzip(rawTar([HELLO]), { length: 1 })),
    gz.refused('gzip-cut-off', 'BX-105', 'an archive that ends early', rawGzip(rawTar([HELLO])).subarray(0, -9)),
    gz.refused(
      'gzip-extra',
      'BX-107',
      'an extra field',
      rawGzip(rawTar([HELLO]), { flags: 4, afterHeader: Buffer.from([1, 0, 0x61]) }),
    ),
    gz.refused(
      'gzip-bomb',
      'BX-104',
      'more than any tar within the limits has',
      rawGzip(Buffer.concat([rawTar([HELLO]), new Uint8Array(40_000)])),
    ),
    gz.refused('gzip-no-tar', 'BX-105', 'compressed, and no tar inside', rawGzip(sized(600))),

    zip.accepted('zip-stored', 'a stored file', rawZip([ZIP_HELLO])),
    zip.accepted(
      'zip-deflated',
      'a deflated file and a directory',
      rawZip([
        { name: 'd/', mode: 0x41ed },
        { ...ZIP_HELLO, deflated: true, mode: 0x81a4 },
      ]),
    ),
    zip.accepted(
      'zip-descriptor',
      'sizes behind the data',
      rawZip([
        {
          ...ZIP_HELLO,
          both: { flags: 8 },
          local: { crc: 0, size: 0, compressedSize: 0 },
          after: descriptor('hello\n'),
        },
      ]),
    ),
    zip.accepted(
      'zip-utf8',
      'a name that is marked as UTF-8',
      rawZip([{ ...ZIP_HELLO, name: '\u00e9.txt', both: { flags: 0x800 } }]),
    ),
    zip.accepted(
      'zip-entries-at-limit',
      'as many entries as allowed',
      rawZip(files(8).map(({ name }) => ({ name: name as string }))),
    ),
    zip.accepted('zip-empty', 'no entry at all', rawZip([])),
    ...names.map(([name, code, why, path]) =>
      zip.refused(`zip-${name}`, code, why, rawZip([{ ...ZIP_HELLO, name: path, both: { flags: 0x800 } }])),
    ),
    ...collisions.map(([name, why, paths]) =>
      zip.refused(
        `zip-${name}`,
        'BX-103',
        why,
        rawZip(paths.map((path) => ({ ...ZIP_HELLO, name: path, both: { flags: 0x800 } }))),
      ),
    ),
    zip.refused(
      'zip-nul',
      'BX-101',
      'a name that some readers cut off',
      rawZip([{ ...ZIP_HELLO, name: 'a.txt\0.exe' }]),
    ),
    zip.refused(
      'zip-unmarked-name',
      'BX-101',
      'a name in no declared encoding',
      rawZip([{ ...ZIP_HELLO, name: '\u00e9.txt' }]),
    ),
    zip.refused(
      'zip-symlink',
      'BX-102',
      'a symbolic link',
      rawZip([{ name: 'a', content: '/etc', mode: SYMLINK_MODE }]),
    ),
    zip.refused('zip-device', 'BX-102', 'a device', rawZip([{ name: 'a', mode: 0x21b6 }])),
    zip.refused(
      'zip-too-many',
      'BX-104',
      'one entry more than allowed',
      rawZip(files(9).map(({ name }) => ({ name: name as string }))),
    ),
    zip.refused(
      'zip-declared-bomb',
      'BX-104',
      'a declared size of 4 GB',
      rawZip([{ ...ZIP_HELLO, deflated: true, both: { size: 4_000_000_000 } }]),
    ),
    zip.refused(
      'zip-total-bomb',
      'BX-104',
      'declared sizes that are too much together',
      rawZip(['a', 'b', 'c'].map((name) => ({ name, content: sized(2048) }))),
    ),
    zip.refused(
      'zip-actual-bomb',
      'BX-105',
      'more content than declared',
      rawZip([{ name: 'a', content: sized(2000), deflated: true, both: { size: 10 } }]),
    ),
    zip.refused(
      'zip-less-content',
      'BX-105',
      'less content than declared',
      rawZip([{ name: 'a', content: 'x', deflated: true, both: { size: 10 } }]),
    ),
    zip.refused(
      'zip-checksum',
      'BX-105',
      'content with another checksum',
      rawZip([{ ...ZIP_HELLO, both: { crc: 1 } }]),
    ),
    zip.refused(
      'zip-local-name',
      'BX-105',
      'two names for one file',
      rawZip([{ ...ZIP_HELLO, local: { name: 'HELLO.txt' } }]),
    ),
    zip.refused('zip-local-size', 'BX-105', 'two sizes of one file', rawZip([{ ...ZIP_HELLO, local: { size: 7 } }])),
    zip.refused(
      'zip-local-method',
      'BX-105',
      'two methods for one file',
      rawZip([{ ...ZIP_HELLO, local: { method: 8 } }]),
    ),
    zip.refused('zip-local-flags', 'BX-105', 'flags that differ', rawZip([{ ...ZIP_HELLO, local: { flags: 0x800 } }])),
    zip.refused(
      'zip-descriptor-lie',
      'BX-105',
      'sizes behind the data that differ',
      rawZip([
        {
          ...ZIP_HELLO,
          both: { flags: 8 },
          local: { crc: 0, size: 0, compressedSize: 0 },
          after: descriptor('hello\n', 1),
        },
      ]),
    ),
    zip.refused(
      'zip-overlap',
      'BX-105',
      'two entries of the same data',
      rawZip([ZIP_HELLO, { name: 'b.txt', content: 'hello\n', offset: 0 }]),
    ),
    zip.refused('zip-cut-off', 'BX-105', 'less than an end record', Buffer.from('PK\u0003\u0004 cut')),
    zip.refused(
      'zip-entry-count',
      'BX-106',
      'an entry more in the directory than counted',
      rawZip([ZIP_HELLO, { name: 'b', content: 'x' }], { entries: 1 }),
    ),
    zip.refused(
      'zip-directory-tail',
      'BX-106',
      'bytes behind the directory',
      rawZip([ZIP_HELLO], { afterDirectory: Buffer.from('hidden') }),
    ),
    zip.refused(
      'zip-hidden-between',
      'BX-106',
      'bytes between files',
      rawZip([
        { ...ZIP_HELLO, after: Buffer.from('hidden') },
        { name: 'b', content: 'x' },
      ]),
    ),
    zip.refused(
      'zip-hidden-before-directory',
      'BX-106',
      'bytes before the directory',
      rawZip([ZIP_HELLO], { beforeDirectory: Buffer.from('hidden') }),
    ),
    zip.refused(
      'zip-hidden-entry',
      'BX-106',
      'a file that the directory does not list',
      rawZip([ZIP_HELLO], { beforeDirectory: rawZip([{ name: 'evil', content: 'x' }]).subarray(0, 35) }),
    ),
    zip.refused(
      'zip-trailing',
      'BX-106',
      'bytes behind the end',
      rawZip([ZIP_HELLO], { trailing: Buffer.from('hidden') }),
    ),
    zip.refused('zip-comment', 'BX-106', 'an archive comment', rawZip([ZIP_HELLO], { comment: 'hidden' })),
    zip.refused('zip-entry-comment', 'BX-106', 'a comment of a file', rawZip([{ ...ZIP_HELLO, comment: 'hidden' }])),
    zip.refused(
      'zip-encrypted',
      'BX-107',
      'an encrypted file',
      rawZip([{ name: 'a', content: `${'k'.repeat(12)}hello\n`, both: { flags: 1, size: 6 } }]),
    ),
    zip.refused('zip-masked', 'BX-107', 'headers that are masked', rawZip([{ ...ZIP_HELLO, both: { flags: 0x2000 } }])),
    zip.refused('zip-method', 'BX-107', 'another compression', rawZip([{ ...ZIP_HELLO, both: { method: 12 } }])),
    zip.refused(
      'zip-unicode-path',
      'BX-107',
      'a second name in an extra field',
      rawZip([{ ...ZIP_HELLO, both: { extra: extraField(0x7075, Buffer.from([1, 0, 0, 0, 0, 0x61])) } }]),
    ),
    zip.refused(
      'zip-zip64-local',
      'BX-107',
      'ZIP64 sizes before the file only',
      rawZip([{ ...ZIP_HELLO, local: { extra: extraField(1, new Uint8Array(16)) } }]),
    ),
    zip.refused(
      'zip-prefix',
      'BX-109',
      'a program in front of the archive',
      rawZip([ZIP_HELLO], { before: Buffer.from('#!/bin/sh\nexit\n') }),
    ),
  ],
};
