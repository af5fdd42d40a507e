// SPDX-License-Identifier: Apache-2.0
import { encodeBase64, formatNoteVerifierKey } from '@witnessmark/core';
import { formatLogProof, type LogProof } from '@witnessmark/tlog';
import { caseMaker, toJsonFile, type VectorFormat } from '../../../../vectors/vector-case.ts';
import { FixedLog } from '../fixed-log.ts';

const { accepted, refused } = caseMaker('input.tlog-proof');

const INDEX = 5;
const log = new FixedLog('log.example/line-1', 21);
const other = new FixedLog('log.example/line-2', 21);
const valid = log.proof(INDEX);
const text = log.proofText(INDEX);
const { proof } = valid;
const [firstLine = ''] = proof.map(encodeBase64);

const changed = (change: Partial<LogProof>): string => formatLogProof({ ...valid, ...change });
const flipped = proof[1]!.with(0, proof[1]![0]! ^ 1);

export const LOG_PROOF_VECTORS: VectorFormat = {
  format: 'log-proof',
  given: {
    'given.json': toJsonFile({ verifierKey: formatNoteVerifierKey(log.verifierKey) }),
    entry: log.entries[INDEX]!,
  },
  cases: [
    accepted('entry-5-of-21', 'The entry is at index 5 of a log of 21.', text),
    accepted('entry-5-of-6', 'The same entry as the last one of the log when it had 6.', log.proofText(INDEX, 6)),
    refused(
      'other-entry',
      'ERR_TLOG_INCLUSION_PROOF',
      'A valid proof of another entry of the log.',
      log.proofText(INDEX + 1),
    ),
    refused('index-changed', 'ERR_TLOG_INCLUSION_PROOF', 'The index of the neighbour.', changed({ index: INDEX - 1 })),
    refused('index-outside', 'ERR_TLOG_INCLUSION_PROOF', 'An index that equals the tree size.', changed({ index: 21 })),
    refused(
      'hash-changed',
      'ERR_TLOG_INCLUSION_PROOF',
      'One bit of a hash was changed.',
      changed({ proof: proof.with(1, flipped) }),
    ),
    refused(
      'hash-missing',
      'ERR_TLOG_INCLUSION_PROOF',
      'A hash is missing.',
      changed({ proof: proof.toSpliced(1, 1) }),
    ),
    refused(
      'hash-twice',
      'ERR_TLOG_INCLUSION_PROOF',
      'A hash is there twice.',
      changed({ proof: proof.toSpliced(1, 0, proof[1]!) }),
    ),
    refused(
      'hashes-exchanged',
      'ERR_TLOG_INCLUSION_PROOF',
      'Two hashes in the wrong order.',
      changed({ proof: [proof[1]!, proof[0]!, ...proof.slice(2)] }),
    ),
    refused(
      'hash-too-many',
      'ERR_TLOG_INCLUSION_PROOF',
      'A hash after the root is reached.',
      changed({ proof: [...proof, proof[0]!] }),
    ),
    refused('no-hashes', 'ERR_TLOG_INCLUSION_PROOF', 'No hashes at all.', changed({ proof: [] })),
    refused(
      'older-checkpoint',
      'ERR_TLOG_INCLUSION_PROOF',
      'A valid checkpoint of the same log, of another size.',
      changed({ checkpoint: log.checkpoint(20) }),
    ),
    refused(
      'newer-checkpoint-older-proof',
      'ERR_TLOG_INCLUSION_PROOF',
      'A proof to an older size beside the newest checkpoint.',
      changed({ proof: log.proof(INDEX, 20).proof }),
    ),
    refused(
      'other-log',
      'ERR_NOTE_UNVERIFIED',
      'The checkpoint of another log.',
      changed({ checkpoint: other.checkpoint() }),
    ),
    refused(
      'other-log-same-root',
      'ERR_NOTE_UNVERIFIED',
      'Another log signed a checkpoint with the same root hash.',
      changed({ checkpoint: other.signNote(log.checkpointText().replace('line-1', 'line-2')) }),
    ),
    refused(
      'checkpoint-changed',
      'ERR_NOTE_SIGNATURE',
      'The tree size was changed after signing.',
      text.replace('\n21\n', '\n22\n'),
    ),
    refused(
      'checkpoint-missing',
      'ERR_NOTE_FORMAT',
      'The proof ends before the checkpoint.',
      text.slice(0, text.indexOf('\n\n') + 2),
    ),
    refused(
      'truncated',
      'ERR_TLOG_LOG_PROOF',
      'The proof ends inside the hashes.',
      text.slice(0, text.indexOf('\n\n') - 10),
    ),
    refused('other-version', 'ERR_TLOG_LOG_PROOF', 'A version that does not exist.', text.replace('@v1', '@v2')),
    refused(
      'extra-data',
      'ERR_TLOG_LOG_PROOF',
      'Extra data, which nothing authenticates.',
      text.replace('index', 'extra AAAA\nindex'),
    ),
    refused(
      'index-leading-zero',
      'ERR_TLOG_LOG_PROOF',
      'An index with a leading zero.',
      text.replace('index 5', 'index 05'),
    ),
    refused('index-2-53', 'ERR_TLOG_LOG_PROOF', 'An index of 2^53.', text.replace('index 5', 'index 9007199254740992')),
    refused('carriage-return', 'ERR_TLOG_LOG_PROOF', 'Lines end in a newline alone.', text.replaceAll('\n', '\r\n')),
    refused(
      'hash-without-padding',
      'ERR_TLOG_LOG_PROOF',
      'The padding of a hash is missing.',
      text.replace(firstLine, firstLine.slice(0, -1)),
    ),
    refused(
      'hash-with-stray-bits',
      'ERR_TLOG_LOG_PROOF',
      'Base64 whose last bits are not zero.',
      text.replace(firstLine, `${'A'.repeat(42)}B=`),
    ),
    refused(
      'hash-too-short',
      'ERR_TLOG_LOG_PROOF',
      'A hash of 31 bytes.',
      text.replace(firstLine, encodeBase64(proof[0]!.slice(1))),
    ),
    refused(
      'too-many-hashes',
      'ERR_TLOG_LOG_PROOF',
      'More hashes than a tree below 2^53 entries is high.',
      changed({ proof: Array.from({ length: 54 }, () => proof[0]!) }),
    ),
  ],
};
