// SPDX-License-Identifier: Apache-2.0
/** The names of the repository's files and targets (spec/trust-repository.md). */
import { RefusedError } from '@witnessmark/core';
import { TRUST_LIMITS } from './limits.ts';

/** The role that operations sign: which release applies where, and the statements published with it. */
export const EFFECTIVITY_ROLE = 'effectivity';
export const EFFECTIVITY_PATHS = ['effectivity/*', 'attestations/*'] as const;
export const TRUSTED_ROOT_PATH = 'trusted-root.json';

/** Ids that become part of a file name. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const SEGMENT = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

export function isTargetName(text: string): boolean {
  return NAME.test(text);
}

/** Whether a target path stays inside the repository on every file system: plain names, no dots in front, no traversal. */
export function isTargetPath(path: string): boolean {
  return path.length <= TRUST_LIMITS.maxTargetPathLength && path.split('/').every((segment) => SEGMENT.test(segment));
}

export function releaseManifestPath(releaseId: string): string {
  return `releases/${checkName(releaseId)}.json`;
}

export function candidatePath(releaseId: string): string {
  return `attestations/${checkName(releaseId)}.candidate.dsse.json`;
}

/** `number` counts from 1. */
export function approvalPath(releaseId: string, number: number): string {
  return `attestations/${checkName(releaseId)}.approval-${number}.dsse.json`;
}

/** The exception under which a release was allowed a lower security counter. */
export function counterExceptionPath(releaseId: string): string {
  return `attestations/${checkName(releaseId)}.exception.dsse.json`;
}

/** The statement that proposed a version of the trusted root. */
export function trustChangePath(version: number): string {
  return `attestations/trusted-root-${version}.change.dsse.json`;
}

/** `number` counts from 1. */
export function trustApprovalPath(version: number, number: number): string {
  return `attestations/trusted-root-${version}.approval-${number}.dsse.json`;
}

export function withdrawalPath(releaseId: string): string {
  return `attestations/${checkName(releaseId)}.withdrawal.dsse.json`;
}

export function effectivityPath(plant: string, line: string): string {
  return `effectivity/${checkName(plant)}.${checkName(line)}.json`;
}

/** Where a target's bytes are in a repository with consistent snapshots (TUF 6.2): `targets/DIRECTORY/HASH.NAME`. */
export function targetFileName(path: string, sha256: string): string {
  const slash = path.lastIndexOf('/') + 1;
  return `targets/${path.slice(0, slash)}${sha256}.${path.slice(slash)}`;
}

export function metadataFileName(role: string, version: number | null): string {
  return version === null ? `metadata/${role}.json` : `metadata/${version}.${role}.json`;
}

function checkName(name: string): string {
  if (!isTargetName(name)) {
    throw new RefusedError('TR-108', 'a name may hold letters, digits, dots, dashes and underlines, 64 at most');
  }
  return name;
}
