// SPDX-License-Identifier: Apache-2.0
import { REASON_CODES, type ReasonCode } from '@witnessmark/core';
import { describe, expect, it } from 'vitest';
import { PROTOCOL_PROBLEMS, toProblem, type ProtocolProblemCode } from '../src/index.ts';
import { problemBody } from '../src/schemas.ts';

describe('problem documents', () => {
  it('exist for every reason code, with its words and a next step', () => {
    for (const [code, entry] of Object.entries(REASON_CODES)) {
      const problem = problemBody.parse(toProblem(code as ReasonCode, 'expected A, found B'));
      expect(problem).toMatchObject({ code, title: entry.operatorText, nextStep: entry.nextStep });
      expect([403, 409, 503]).toContain(problem.status);
    }
  });

  it('exist for every problem of the conversation, without a next step', () => {
    for (const [code, entry] of Object.entries(PROTOCOL_PROBLEMS)) {
      const problem = problemBody.parse(toProblem(code as ProtocolProblemCode, 'because'));
      expect(problem).toMatchObject({ code, status: entry.status, nextStep: null, refusal: null });
    }
  });

  it('say 403 to whoever is not entitled, 503 when it may work later, 409 otherwise', () => {
    expect(toProblem('LS-502', '').status).toBe(403);
    expect(toProblem('LS-302', '').status).toBe(503);
    expect(toProblem('LS-101', '').status).toBe(409);
  });
});
