// SPDX-License-Identifier: Apache-2.0
/**
 * The policy of secret classes (spec/secret-classes.md): what the secrets of a product are, and in which forms each may be
 * inside the boundary, outside of it, and in a cache. What the policy does not name is not allowed anywhere.
 */
import { describeIssues, identifier } from '@witnessmark/attestation';
import { formatJson, parseStrictJson, RefusedError, sha256Hex, WitnessmarkError, type Bytes } from '@witnessmark/core';
import { z } from 'zod';

export const SECRET_CLASSES = [
  'signingKey',
  'deviceKey',
  'image',
  'calibrationSecret',
  'source',
  'symbols',
  'coreFile',
  'serialList',
  'customerName',
] as const;
export type SecretClass = (typeof SECRET_CLASSES)[number];

/** `inToken` and `digestOnly` say that no file may hold it; a file is `clear` or `sealed`. */
export const SECRET_FORMS = ['clear', 'sealed', 'wrapped', 'inToken', 'digestOnly'] as const;
export type SecretForm = (typeof SECRET_FORMS)[number];

export const SECRET_PLACES = ['inside', 'outside', 'cache'] as const;
export type SecretPlace = (typeof SECRET_PLACES)[number];

const forms = z.array(z.enum(SECRET_FORMS)).max(SECRET_FORMS.length);

const schema = z.strictObject({
  mediaType: z.literal('application/vnd.witnessmark.secret-classes.v1+json'),
  name: identifier,
  version: z.int().min(1),
  classes: z
    .array(
      z.strictObject({
        class: z.enum(SECRET_CLASSES),
        /** What happens when it leaks. */
        failureMode: z.string().min(1).max(500),
        inside: forms,
        outside: forms,
        cache: forms,
      }),
    )
    .length(SECRET_CLASSES.length),
  /** Paths whose content belongs to a class whatever it looks like; `*` stands for any characters but a slash. */
  paths: z.array(z.strictObject({ pattern: z.string().min(1).max(240), class: z.enum(SECRET_CLASSES) })).max(64),
});

export type SecretClassesDocument = z.infer<typeof schema>;

const MAX_DOCUMENT_BYTES = 64 * 1024;

export class SecretClasses {
  readonly name: string;
  readonly version: number;
  /** SHA-256 of the document's bytes. */
  readonly digest: string;
  readonly #document: SecretClassesDocument;

  private constructor(document: SecretClassesDocument, digest: string) {
    this.#document = document;
    this.name = document.name;
    this.version = document.version;
    this.digest = digest;
  }

  /** Reads a policy; throws BX-128 when it is not one that names every class once. */
  static parse(bytes: Bytes): SecretClasses {
    const document = parseDocument(bytes);
    const names = new Set(document.classes.map((entry) => entry.class));
    if (names.size !== SECRET_CLASSES.length) throw unreadable('a class is named twice');
    return new SecretClasses(document, sha256Hex(bytes));
  }

  isAllowed(secretClass: SecretClass, form: SecretForm, place: SecretPlace): boolean {
    return this.#document.classes.find((entry) => entry.class === secretClass)?.[place].includes(form) ?? false;
  }

  /** The classes a path stands for. */
  classesOfPath(path: string): readonly SecretClass[] {
    return this.#document.paths.filter(({ pattern }) => matchesPath(pattern, path)).map((entry) => entry.class);
  }
}

/** Throws `TypeError` when the document breaks its schema. */
export function formatSecretClasses(document: SecretClassesDocument): Bytes {
  const checked = schema.safeParse(document);
  if (!checked.success) throw new TypeError(`the policy breaks its schema at ${describeIssues(checked.error)}`);
  return formatJson(checked.data);
}

/** `*` stands for any characters but a slash, and nothing else is special. */
export function matchesPath(pattern: string, path: string): boolean {
  const steps = pattern.split('/');
  const names = path.split('/');
  return steps.length === names.length && steps.every((step, index) => matchesName(step, names[index] ?? ''));
}

/** Finds the parts between the stars from left to right, which needs no backtracking. */
function matchesName(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return name === pattern;
  if (!name.startsWith(first) || name.length < first.length + last.length || !name.endsWith(last)) return false;
  const end = name.length - last.length;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}

function parseDocument(bytes: Bytes): SecretClassesDocument {
  try {
    const limits = { maxBytes: MAX_DOCUMENT_BYTES, maxDepth: 8, maxValues: 2000 };
    const result = schema.safeParse(parseStrictJson(bytes, limits));
    if (result.success) return result.data;
    throw unreadable(`it breaks its schema at ${describeIssues(result.error)}`);
  } catch (cause) {
    if (cause instanceof RefusedError || !(cause instanceof WitnessmarkError)) throw cause;
    throw unreadable(cause.message, cause);
  }
}

function unreadable(what: string, cause?: unknown): RefusedError {
  return new RefusedError('BX-128', `the policy of secret classes: ${what}`, cause === undefined ? {} : { cause });
}
