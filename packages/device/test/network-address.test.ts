// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { expectNetworkAddress } from '../src/network-address.ts';

describe('expectNetworkAddress', () => {
  it.each([
    { host: 'localhost', port: 1 },
    { host: '127.0.0.1', port: 65535 },
    { host: 'h'.repeat(253), port: 4000 },
  ])('takes $host $port', (address) => {
    expect(() => {
      expectNetworkAddress(address);
    }).not.toThrow();
  });

  it.each([
    { host: '127.0.0.1,spispeed=1', port: 1 },
    { host: '127.0.0.1; exec id', port: 1 },
    { host: '', port: 1 },
    { host: '::1', port: 1 },
    { host: 'h'.repeat(254), port: 4000 },
    { host: 'localhost', port: 0 },
    { host: 'localhost', port: 65536 },
  ])('refuses $host $port', (address) => {
    expect(() => {
      expectNetworkAddress(address);
    }).toThrow(TypeError);
  });
});
