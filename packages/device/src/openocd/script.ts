// SPDX-License-Identifier: Apache-2.0
/**
 * The Tcl scripts OpenOCD 0.12 runs, built from checked values only. A script speaks to the driver in lines that begin
 * with `witnessmark:`; it looks at the part before it changes anything, and what ends early lacks the line `end`.
 */
import { encodeHex, type Bytes } from '@witnessmark/core';
import type { FlashRange } from '../contract.ts';
import type { NetworkAddress } from '../network-address.ts';
import type { McuProfile } from '../profile.ts';
import {
  DBGMCU_IDCODE,
  FLASH_BASE,
  FLASH_OBR_RDPRT,
  FLASH_REGISTERS,
  FLASH_SIZE_REGISTER,
  FLASH_SR,
  OPTION_BYTES_BASE,
  RDP_OPEN,
} from '../stm32/memory-map.ts';

export interface OpenocdTarget {
  readonly profile: McuProfile;
  readonly address: NetworkAddress;
}

/** A piece of an image as a file in the run's private directory. */
export interface ImagePiece extends FlashRange {
  readonly file: string;
}

/** File names inside the run's private directory, which is its working directory. */
export const OPENOCD_FILES = { script: 'run.tcl', content: 'content.bin' } as const;

/** Says what the part is and, twice, who it is, as every script does. */
export function inspectScript(target: OpenocdTarget): string {
  return script(target, null, []);
}

export function readScript(target: OpenocdTarget, range: FlashRange): string {
  const reads = `dump_image ${OPENOCD_FILES.content} ${hex(FLASH_BASE + range.address)} ${range.length}`;
  return script(target, null, ['refuse_if_protected', 'halt', `attempt read {${reads}}`, 'say_id']);
}

export function eraseScript(target: OpenocdTarget, id: Bytes, range: FlashRange): string {
  return script(target, id, ['refuse_if_protected', 'halt', ...erasePages(target.profile, range), 'say_id']);
}

/** Erases the range, looks at every word of it, and writes the pieces in their order. */
export function writeScript(
  target: OpenocdTarget,
  id: Bytes,
  range: FlashRange,
  pieces: readonly ImagePiece[],
): string {
  const writes = pieces.flatMap(({ file, address, length }) => [
    `attempt write {flash write_bank 0 ${file} ${address}}`,
    `say written ${address + length}`,
  ]);
  return script(target, id, [
    'refuse_if_protected',
    'halt',
    ...erasePages(target.profile, range),
    ...writes,
    `say written ${range.address + range.length}`,
    'say_id',
  ]);
}

export function lockScript(target: OpenocdTarget, id: Bytes): string {
  return script(target, id, ['halt', 'lock_flash', 'say_id']);
}

/** Undoing the protection erases the flash: the part does that by itself. */
export function unlockScript(target: OpenocdTarget, id: Bytes): string {
  return script(target, id, ['halt', 'attempt unlock {stm32f1x unlock 0}', 'say_id']);
}

export function resetScript(target: OpenocdTarget): string {
  return script(target, null, ['reset run']);
}

/** Reads the first word of every page, and the flash where it is seen at address 0. */
export function lockTestScript(target: OpenocdTarget): string {
  const { sizeBytes, pageBytes } = target.profile;
  return script(target, null, ['say_protection', `try_reads ${hex(sizeBytes)} ${hex(pageBytes)}`, 'say_id']);
}

function erasePages({ pageBytes }: McuProfile, { address, length }: FlashRange): string[] {
  const lines = [];
  for (let at = address; at < address + length; at += pageBytes) {
    lines.push(
      `attempt erase {flash erase_address ${hex(FLASH_BASE + at)} ${pageBytes}}`,
      `expect_erased ${hex(at)} ${pageBytes}`,
      `say erased ${at + pageBytes}`,
    );
  }
  return lines;
}

function script({ profile, address }: OpenocdTarget, id: Bytes | null, body: readonly string[]): string {
  const { debugPortId, jedecId } = profile;
  const guard = id === null ? [] : [`expect_id ${encodeHex(id)}`];
  return [
    'adapter driver remote_bitbang',
    `remote_bitbang host ${address.host}`,
    `remote_bitbang port ${address.port}`,
    // Without it OpenOCD puts a program into the part's memory and lets the part run it.
    'set WORKAREASIZE 0',
    'source [find target/stm32f1x.cfg]',
    'reset_config srst_only srst_nogate',
    // The lines behind this adapter settle before the next character.
    'adapter srst delay 0',
    'adapter srst pulse_width 0',
    'jtag_ntrst_delay 0',
    'gdb_port disabled',
    'tcl_port disabled',
    'telnet_port disabled',
    `set id_address ${hex(profile.hardwareIdSource.address)}`,
    `set id_bytes ${profile.hardwareIdBytes}`,
    PROCEDURES,
    'set failed [catch init reason]',
    'poll off',
    // OpenOCD goes on, and ends with status 0, when another part answers than the one it was told to expect.
    `expect_taps ${debugPortId} ${jedecId}`,
    'if {$failed} { error $reason }',
    'say_part',
    'say_id',
    'say_id',
    ...guard,
    ...body,
    'say end',
    'shutdown',
    '',
  ].join('\n');
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

/** `attempt` runs a command; when it fails, it looks whether the same part is still there and at rest. */
const PROCEDURES = `
proc say {args} { echo "witnessmark: $args" }
proc refuse {args} { say refused {*}$args; error refused }
proc read_id {} {
  set digits ""
  foreach byte [read_memory $::id_address 8 $::id_bytes] { append digits [format %02x $byte] }
  return $digits
}
proc say_id {} { say id [read_id] }
proc say_part {} { say part [format %08x [read_memory ${hex(DBGMCU_IDCODE)} 32 1]] [format %d [read_memory ${hex(FLASH_SIZE_REGISTER)} 16 1]] }
proc is_protected {} { expr {([read_memory ${hex(FLASH_REGISTERS.OBR)} 32 1] & ${FLASH_OBR_RDPRT}) != 0} }
proc option_rdp {} { format %02x [read_memory ${hex(OPTION_BYTES_BASE)} 8 1] }
proc say_protection {} { say protection [is_protected] [option_rdp] }
proc refuse_if_protected {} { if {[is_protected]} { refuse protected } }
proc expect_taps {cpu bs} {
  set found_cpu [format %08x [jtag cget stm32f1x.cpu -idcode]]
  set found_bs [format %08x [jtag cget stm32f1x.bs -idcode]]
  say taps $found_cpu $found_bs
  if {$found_cpu ne $cpu || $found_bs ne $bs} { refuse taps $found_cpu $found_bs }
}
proc expect_id {wanted} {
  set found [read_id]
  if {$found ne $wanted} { refuse exchanged $found }
  set ::wanted $wanted
}
proc expect_erased {at length} {
  set words [read_memory [expr {${hex(FLASH_BASE)} + $at}] 32 [expr {$length / 4}]]
  foreach word $words {
    if {$word != 0xffffffff} { refuse not_erased [format %06x $at] [format %08x $word] }
    incr at 4
  }
}
proc attempt {what command} {
  if {![catch {uplevel #0 $command}]} return
  set id [read_id]
  if {[info exists ::wanted] && $id ne $::wanted} { refuse exchanged $id }
  if {[read_memory ${hex(FLASH_REGISTERS.SR)} 32 1] & ${FLASH_SR.BSY}} { error busy }
  refuse failed $what
}
proc lock_flash {} {
  if {![is_protected] || [option_rdp] eq "${RDP_OPEN.toString(16)}"} { attempt lock {stm32f1x lock 0} }
  if {[option_rdp] eq "${RDP_OPEN.toString(16)}"} { refuse not_locked [option_rdp] }
}
proc try_reads {size page} {
  if {![is_protected]} return
  if {![catch {read_memory 0 32 1}]} { say readable 0 }
  for {set at 0} {$at < $size} {incr at $page} {
    if {![catch {read_memory [expr {${hex(FLASH_BASE)} + $at}] 32 1}]} { say readable $at; return }
  }
}`;
