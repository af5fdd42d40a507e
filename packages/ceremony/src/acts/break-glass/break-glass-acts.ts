// SPDX-License-Identifier: Apache-2.0
/**
 * Opening in an emergency, and closing again, as ceremonies: two people with their own cards, a reason, a ticket and an
 * end in minutes. What may be opened at all is not decided here.
 */
import { createHash } from 'node:crypto';
import {
  decodeHex,
  formatInstant,
  RefusedError,
  STATEMENT_PAYLOAD_TYPE,
  type Bytes,
  type EnvelopeSignature,
} from '@witnessmark/core';
import { findKey, keyPolicy, signEnvelopePart } from '@witnessmark/custody';
import { z } from 'zod';
import { defineAct, type ActContext, type ActResult, type AnyAct } from '../../act.ts';
import { line } from '../../fields.ts';
import { toResult } from '../results.ts';
import { demandTwoPeople } from '../secrets.ts';
import { equipmentName, inputName, personRef } from '../shapes.ts';
import { findCard, withCardToken } from '../tokens.ts';
import type { ActPorts } from '../ports.ts';
import type { BreakGlassPort, BreakGlassRecord } from './break-glass-port.ts';

const signer = z.strictObject({ equipment: equipmentName, holder: personRef });
/** One working day. */
const MAX_MINUTES = 480;

const opening = z.strictObject({
  scope: z.array(line(40)).min(1).max(8),
  minutes: z.int().min(1).max(MAX_MINUTES),
  /** The inputs that hold why, and the ticket. */
  reason: inputName,
  ticket: inputName,
  requestedBy: signer,
  confirmedBy: signer,
});
const resealing = z.strictObject({
  /** The inputs that hold the id of the opening, what was done, and the number of the new seal. */
  opening: inputName,
  done: inputName,
  seal: inputName.nullable(),
  resealedBy: signer,
});

type Opening = z.infer<typeof opening>;
type Resealing = z.infer<typeof resealing>;
/** Every card of a person has its key in this place. */
const { label, id: keyId } = keyPolicy('release-approval');

export function openBreakGlassAct(ports: ActPorts): AnyAct {
  return defineAct<Opening>({
    kind: 'open-break-glass',
    parameters: opening,
    isIrreversible: true,
    plan: async (context) => {
      const { scope, minutes, requestedBy, confirmedBy, reason, ticket } = context.parameters;
      demandTwoPeople(context, requestedBy.holder, confirmedBy.holder);
      await findCard(ports, context, requestedBy.equipment);
      return {
        lines: [
          `open ${scope.join(', ')} for ${minutes} minutes`,
          `asked for by ${context.person(requestedBy.holder)}, confirmed by ${context.person(confirmedBy.holder)}`,
          `ticket ${context.input(ticket)}`,
          `reason: ${context.input(reason)}`.slice(0, 160),
          'it is on record for good, and closes by itself',
        ],
      };
    },
    inspect: (context) => inspectRecord(portOf(ports), openingId(context), 'open until'),
    perform: async (context) => {
      const { requestedBy, confirmedBy, scope, minutes, reason, ticket } = context.parameters;
      demandTwoPeople(context, requestedBy.holder, confirmedBy.holder);
      const payload = await portOf(ports).opening({
        id: openingId(context),
        scope,
        minutes,
        reason: context.input(reason),
        ticket: context.input(ticket),
        requestedBy: context.person(requestedBy.holder),
        confirmedBy: context.person(confirmedBy.holder),
        openedAt: formatInstant(context.clock.now()),
      });
      return toRecorded(
        openingId(context),
        await signAndSubmit(ports, context, payload, [requestedBy, confirmedBy]),
        'open until',
      );
    },
  });
}

export function resealBreakGlassAct(ports: ActPorts): AnyAct {
  return defineAct<Resealing>({
    kind: 'reseal-break-glass',
    parameters: resealing,
    isIrreversible: true,
    plan: async (context) => {
      const { resealedBy, done, seal } = context.parameters;
      await findCard(ports, context, resealedBy.equipment);
      return {
        lines: [
          `close opening ${context.input(context.parameters.opening)}`,
          `what was done: ${context.input(done)}`.slice(0, 160),
          `new seal: ${seal === null ? 'none' : context.input(seal)}`,
        ],
      };
    },
    inspect: (context) => inspectRecord(portOf(ports), closingId(context), 'closed'),
    perform: async (context) => {
      const { resealedBy, done, seal } = context.parameters;
      const payload = await portOf(ports).closing({
        id: closingId(context),
        openingId: context.input(context.parameters.opening),
        done: context.input(done),
        seal: seal === null ? null : context.input(seal),
        resealedBy: context.person(resealedBy.holder),
        resealedAt: formatInstant(context.clock.now()),
      });
      return toRecorded(closingId(context), await signAndSubmit(ports, context, payload, [resealedBy]), 'closed');
    },
  });
}

/** Each signs with the own card, one after the other; nothing is handed in before the last one has. */
async function signAndSubmit(
  ports: ActPorts,
  context: ActContext,
  payload: Bytes,
  signers: readonly z.infer<typeof signer>[],
): Promise<BreakGlassRecord> {
  const signatures: EnvelopeSignature[] = [];
  for (const card of signers) {
    const { holder } = card;
    signatures.push(
      await withCardToken(ports, { ...context, prompts: named(context, holder) }, card, (token) =>
        signEnvelopePart(findKey(token, { label, id: decodeHex(keyId) }), STATEMENT_PAYLOAD_TYPE, payload),
      ),
    );
  }
  return portOf(ports).submit({ payloadType: STATEMENT_PAYLOAD_TYPE, payload, signatures });
}

/** Two PINs in one step need two names. */
function named({ prompts }: ActContext, holder: string): ActContext['prompts'] {
  return {
    secret: (request) => prompts.secret({ ...request, id: `${request.id}-${holder}` }),
    notice: (text) => {
      prompts.notice(text);
    },
  };
}

async function inspectRecord(port: BreakGlassPort, id: string, word: string) {
  const found = await port.find(id);
  return found === null
    ? ({ state: 'notDone' } as const)
    : ({ state: 'done', result: toRecorded(id, found, word) } as const);
}

function toRecorded(id: string, { payloadDigest, until }: BreakGlassRecord, word: string): ActResult {
  return toResult({ id, [word]: until ?? 'yes' }, { digests: { statement: payloadDigest } });
}

function openingId({ ceremonyId }: ActContext<Opening>): string {
  return uuidFor(`witnessmark break-glass opening ${ceremonyId}`);
}

function closingId({ ceremonyId }: ActContext<Resealing>): string {
  return uuidFor(`witnessmark break-glass closing ${ceremonyId}`);
}

/** A version 8 UUID (RFC 9562 section 5.8) that follows from a name, so that doing the step again is the same statement. */
function uuidFor(name: string): string {
  const bytes = createHash('sha256').update(name).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function portOf({ breakGlass }: ActPorts): BreakGlassPort {
  if (breakGlass === null) throw new RefusedError('CE-219', 'no line was named that could be opened');
  return breakGlass;
}
