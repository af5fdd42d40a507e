// SPDX-License-Identifier: Apache-2.0
/**
 * The transcript as one page for people: it needs no network and no program, prints on paper, and says how to check the
 * file it belongs to. Everything in it comes from the journal; the page itself proves nothing, and says so.
 */
import { decodeBase64, formatInstant, sha256Hex } from '@witnessmark/core';
import { formatHexGroups, formatWords } from './display.ts';
import { verificationRecipe } from './recipe.ts';
import type { CeremonyKey } from './act.ts';
import type { CeremonyState, StepState } from './state.ts';
import type { TranscriptFile } from './transcript-file.ts';

export interface DocumentOptions {
  readonly state: CeremonyState;
  readonly file: TranscriptFile;
  /** Its name, as the recipe and the heading use it. */
  readonly fileName: string;
}

const STYLE = `
:root { color-scheme: light; font: 11pt/1.4 "Liberation Serif", Georgia, serif; }
body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #111; background: #fff; }
h1 { font-size: 1.6rem; margin: 0 0 .2rem } h2 { font-size: 1.15rem; margin: 1.6rem 0 .4rem; border-bottom: 1px solid #888 }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; vertical-align: top; padding: .2rem .5rem .2rem 0; border-bottom: 1px solid #ddd }
th { font-weight: 600; white-space: nowrap }
code, pre { font: .82em/1.35 "Liberation Mono", Menlo, monospace } pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid #bbb; padding: .6rem }
.step { break-inside: avoid; margin: 0 0 1rem } .final { font-weight: 600 } .words { font-style: italic }
.mark { border: 3px double #111; padding: .4rem .8rem; font-weight: 700; text-align: center; margin: 0 0 1rem }
.sign td { height: 2.6rem }
@page { size: A4; margin: 18mm 16mm 20mm; @bottom-right { content: counter(page) " / " counter(pages) } }
@media print { body { max-width: none; margin: 0; padding: 0 } a { color: inherit } }
`;

/** A complete HTML page. */
export function formatCeremonyDocument({ state, file, fileName }: DocumentOptions): string {
  const { settings, reviewed } = state;
  const { script } = reviewed;
  const mark = markOf(state);
  const rows: readonly (readonly [string, string])[] = [
    ['ceremony', `${settings.ceremonyId}, ${script.type}`],
    ['purpose', script.purpose],
    ['outcome', state.outcome ?? 'not closed'],
    ['place', settings.location],
    ['from – until', `${formatInstant(state.startedAt)} – ${formatInstant(state.lastAt)}`],
    ['script', `${script.name}, version ${script.version}`],
    ['program', `witnessmark ${settings.tool.version}, sha256 ${settings.tool.sha256.slice(0, 16)}…`],
    ['log', file.logProof === null ? 'in no log yet' : 'in the evidence log of the office; the proof is in the file'],
  ];
  const title = `${mark === null ? '' : `${mark} – `}${script.title}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>${escape(title)}</title>
<style>${STYLE}</style>
</head>
<body>
${mark === null ? '' : `<p class="mark">${escape(mark)}</p>`}
<h1>${escape(script.title)}</h1>
<table>${rows.map(([name, value]) => row(name, escape(value))).join('')}</table>
<h2>Statement signed</h2>
${digest('sha256 of the signed statement', sha256Hex(file.envelope.payload))}
${digest('sha256 of the script', reviewed.sha256)}
<h2>People</h2>
<table>${settings.people.map((person) => row(person.role, escape(person.id))).join('')}</table>
${keys(state)}
<h2>Steps</h2>
${state.steps.map((own, index) => formatStep(own, index + 1)).join('\n')}
${exceptions(state)}
<h2>Signed by hand</h2>
<table class="sign">${settings.people.map(({ id, role }) => row(`${role} ${escape(id)}`, '')).join('')}</table>
<h2>How to verify without us</h2>
<p>This page proves nothing by itself. The file <code>${escape(fileName)}</code> does. With <code>jq</code>, <code>openssl</code>
and <code>sha256sum</code>, save the following as <code>check.sh</code> beside it and run <code>sh check.sh</code>. Then compare
the keys of administrator and witness, and the digest of the script, with what you got from these people by another way.
With our program: <code>witnessmark ceremony replay ${escape(fileName)}</code>.</p>
<pre id="recipe">${escape(verificationRecipe(fileName))}</pre>
</body>
</html>
`;
}

/** What must not be overlooked: this was not the real thing. */
export function markOf({ settings }: CeremonyState): string | null {
  if (settings.environment.rehearsal) return 'REHEARSAL – keys made here are refused by every production policy';
  return settings.environment.simulated ? 'SIMULATED – made with simulated tokens, for trials' : null;
}

function formatStep(own: StepState, number: number): string {
  const { step, result } = own;
  const lines: (readonly [string, string])[] = [
    ['read aloud', escape(step.readAloud)],
    ...(step.irreversible === null
      ? []
      : [['cannot be undone', `<span class="final">${escape(step.irreversible)}</span>`] as const]),
    ['check', escape(step.check)],
    ['expected', escape(step.expected)],
    ['witness', escape(step.witness)],
    [
      'done',
      own.performedAt === null
        ? 'no'
        : `${formatInstant(own.performedAt)} (${own.origin ?? ''}, ${tries(own.attempts)})`,
    ],
    ['witnessed', own.witnessedAt === null ? 'no' : formatInstant(own.witnessedAt)],
    ...(result?.facts ?? []).map(({ name, value }) => [escape(name), escape(value)] as const),
  ];
  const digests = [
    ...(result?.digests ?? []).map(({ name, sha256 }) => digest(name, sha256)),
    ...(own.resultDigest === null ? [] : [digest('result', own.resultDigest)]),
  ];
  return `<div class="step"><h3>${number}. ${escape(step.title)}</h3>
<table>${lines.map(([name, value]) => row(name, value)).join('')}</table>
${digests.join('\n')}</div>`;
}

function keys(state: CeremonyState): string {
  const found = state.steps.flatMap(({ result }) => result?.keys ?? []);
  if (found.length === 0) return '';
  return `<h2>Keys</h2>\n${found.map(formatKey).join('\n')}`;
}

function formatKey(key: CeremonyKey): string {
  const { token } = key;
  const attributes = Object.entries(key.attributes).map(([name, value]) => `${name} = ${String(value)}`);
  const rows: (readonly [string, string])[] = [
    ['change', key.change],
    ['holder', key.holder],
    [
      'token',
      token === null
        ? 'none'
        : `${token.label}, serial ${token.serial}, ${token.manufacturer} ${token.model} ${token.firmware}`,
    ],
    ['custody', `${key.grade}, ${key.certificates.length} attestation certificates`],
    ...(attributes.length === 0 ? [] : [['read back', attributes.join(', ')] as const]),
    ...(key.checkValue === null ? [] : [['check value', key.checkValue] as const]),
  ];
  const keyid = key.spki === null ? '' : digest('public key', sha256OfBase64(key.spki));
  return `<div class="step"><h3>${escape(key.name)}</h3>
<table>${rows.map(([name, value]) => row(name, escape(value))).join('')}</table>
${keyid}</div>`;
}

function exceptions(state: CeremonyState): string {
  const rows = [
    ...state.exceptions.map(({ at, step, text: what, by }) => [at, `${step ?? 'ceremony'}: ${what} (${by})`] as const),
    ...state.breaks.map(
      ({ from, until, kind, reason }) => [from, `${kind} until ${formatInstant(until)}: ${reason}`] as const,
    ),
  ].sort(([left], [right]) => left - right);
  const body = rows.map(([at, what]) => row(formatInstant(at), escape(what))).join('');
  return `<h2>Exceptions and breaks</h2>\n${rows.length === 0 ? '<p>None.</p>' : `<table>${body}</table>`}`;
}

function digest(name: string, sha256: string): string {
  return `<table>${row(
    escape(name),
    `<code>${formatHexGroups(sha256).join('<br>')}</code><br><span class="words">${formatWords(sha256).join('<br>')}</span>`,
  )}</table>`;
}

function row(name: string, html: string): string {
  return `<tr><th>${name}</th><td>${html}</td></tr>`;
}

function tries(attempts: number): string {
  return attempts === 1 ? 'first try' : `try ${attempts}`;
}

function sha256OfBase64(spki: string): string {
  return sha256Hex(decodeBase64(spki));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escape(plain: string): string {
  return plain.replace(/[&<>"']/g, (character) => ENTITIES[character] as string);
}
