// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseChronyReports, type ChronyReports } from '../../src/clock/chrony-report.ts';

/** What chronyc 4.3 wrote about two honest servers, one of them with NTS, and one that is three hours ahead. */
const REPORTS: ChronyReports = {
  tracking:
    '7F000001,127.0.0.1,6,1795176659.702985672,0.000250000,-0.000000149,0.000002916,-3.676,0.021,3.997,0.020000000,0.000024017,0.3,Normal\n',
  sources: [
    '^,*,127.0.0.1,5,-2,377,1,0.000000170,0.000000133,0.000003766',
    '^,?,127.0.0.4,0,0,0,4294967295,0.000000000,0.000000000,0.000000000',
    '^,x,127.0.0.2,3,-4,17,0,-10800.000000000,-10800.000000000,0.000117671',
    '',
  ].join('\n'),
  sourcestats: [
    '127.0.0.1,22,12,3,-0.004,0.179,-0.000000001,0.000000206',
    '127.0.0.4,0,0,0,0.000,2000.000,0.000000000,4.000000000',
    '127.0.0.2,9,6,1,1.177,2.809,-10800.000000000,0.000000685',
    '',
  ].join('\n'),
  authdata: [
    '127.0.0.1,NTS,1,15,256,3,0,0,8,100',
    '127.0.0.4,NTS,0,0,0,4294967295,0,0,0,0',
    '127.0.0.2,-,0,0,0,4294967295,0,0,0,0',
    '',
  ].join('\n'),
};

describe('parseChronyReports', () => {
  it('reads what chronyc writes, with own time less the source everywhere', () => {
    expect(parseChronyReports(REPORTS)).toEqual({
      claimsSynchronised: true,
      stratum: 6,
      offsetMs: -0.25,
      rootDelayMs: 20,
      rootDispersionMs: 0.024017,
      sources: [
        {
          name: '127.0.0.1',
          state: 'selected',
          stratum: 5,
          reach: 255,
          lastSampleAgeMs: 1000,
          offsetMs: 0.00017,
          samples: 22,
          authentication: 'nts',
        },
        {
          name: '127.0.0.4',
          state: 'unusable',
          stratum: 0,
          reach: 0,
          lastSampleAgeMs: null,
          offsetMs: 0,
          samples: 0,
          // Keys have not been agreed on yet.
          authentication: 'none',
        },
        {
          name: '127.0.0.2',
          state: 'falseticker',
          stratum: 3,
          reach: 15,
          lastSampleAgeMs: 0,
          offsetMs: -10_800_000,
          samples: 9,
          authentication: 'none',
        },
      ],
    });
  });

  it('does not know how sources are authenticated when the daemon did not say', () => {
    const reading = parseChronyReports({ ...REPORTS, authdata: null });
    expect(reading?.sources.map(({ authentication }) => authentication)).toEqual([null, null, null]);
  });

  it('has no stratum while it is not synchronised', () => {
    const tracking =
      '00000000,,0,0.000000000,-0.000001410,0.000001410,0.000001410,0.000,0.000,0.000,1.000000000,1.000000000,0.0,Not synchronised\n';
    expect(parseChronyReports({ ...REPORTS, tracking })).toMatchObject({ claimsSynchronised: false, stratum: null });
  });

  it.each([
    ['no tracking', { tracking: '' }],
    ['tracking twice', { tracking: REPORTS.tracking + REPORTS.tracking }],
    ['another leap status', { tracking: REPORTS.tracking.replace('Normal', 'normal') }],
    ['a negative root delay', { tracking: REPORTS.tracking.replace('0.020000000', '-0.020000000') }],
    ['an offset that is no number', { tracking: REPORTS.tracking.replace('0.000250000', '1e3') }],
    ['an unknown state', { sources: REPORTS.sources.replace('^,*', '^,!') }],
    ['an unknown mode', { sources: REPORTS.sources.replace('^,*', '@,*') }],
    ['a reach of nine bits', { sources: REPORTS.sources.replace('377', '777') }],
    ['a reach that is not octal', { sources: REPORTS.sources.replace('377', '378') }],
    ['a name with a space', { sources: REPORTS.sources.replace('127.0.0.1', '127.0.0.1 x') }],
    ['a missing field', { sources: REPORTS.sources.replace(',0.000003766', '') }],
    ['an unknown mode of authentication', { authdata: (REPORTS.authdata ?? '').replace('NTS', 'PGP') }],
    ['too much', { sources: REPORTS.sources.repeat(1000) }],
    ['too many sources', { sources: `${REPORTS.sources.split('\n')[0] ?? ''}\n`.repeat(65) }],
    ['an error text', { sourcestats: '506 Cannot talk to daemon\n' }],
  ])('refuses %s', (_, change) => {
    expect(parseChronyReports({ ...REPORTS, ...change })).toBeNull();
  });

  it('never throws, and never gives a number that is none', () => {
    const piece = fc.constantFrom(
      ',',
      '\n',
      '0',
      '-',
      '1.5',
      'x',
      '*',
      '^',
      'Normal',
      '127.0.0.1',
      '4294967295',
      'NaN',
    );
    const text = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(text, text, (tracking, sources) => {
        const reading = parseChronyReports({ ...REPORTS, tracking: REPORTS.tracking + tracking, sources });
        for (const source of reading?.sources ?? []) expect(Number.isFinite(source.offsetMs)).toBe(true);
      }),
    );
  });
});
