// SPDX-License-Identifier: Apache-2.0
/*
 * A board with an AVR on simavr: the target itself executes a real boot loader, which programs the target.
 *
 *   avr-board PART BOOT_START BOOT_LOADER.hex MEMORY
 *
 * Prints one line of JSON with the port of its serial line on 127.0.0.1. Between two connections the part is reset, as the
 * auto-reset line of such boards does it; without one it stands still. MEMORY is mapped: flash, EEPROM, and a page of control
 * words, so that whoever started this program sees every change at once and can break the part in the middle.
 *
 * While the serial line is silent the part stands still as well. Its boot loader gives up after a second of its own time,
 * and simavr's second has no fixed length: the boot loader of a busy machine would be gone before the tool has begun.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "avr_eeprom.h"
#include "avr_flash.h"
#include "avr_ioport.h"
#include "avr_uart.h"
#include "sim_avr.h"

enum { FLASH_BYTES = 32768, EEPROM_BYTES = 1024, CONTROL_BYTES = 4096 };
enum { FILE_BYTES = FLASH_BYTES + EEPROM_BYTES + CONTROL_BYTES };
/* Longer than the part ever works without speaking; an EEPROM byte takes 3.4 ms. */
enum { SILENT_CYCLES = 16000000 / 100, MAX_BOOT_CYCLES = 16000000, STEPS_PER_TURN = 2000, CYCLES_PER_BYTE = 200, MAX_STUCK_BITS = 64 };

/* Control words, 32 bits each in the machine's order; the layout is repeated in avr-part.ts. */
struct control {
  uint32_t powered;
  uint32_t revision;
  uint32_t dead_erase;
  uint32_t ignores_program;
  uint32_t hangs;
  uint32_t power_cut; /* 0 none, 1 while programming, 2 while erasing */
  uint32_t power_cut_bytes;
  uint32_t stuck_count;
  uint32_t stuck[MAX_STUCK_BITS]; /* address << 4 | bit << 1 | value */
};

static avr_t *avr;
static avr_uart_t *uart;
static uint32_t boot_start;
static volatile struct control *control;
static avr_io_read_t read_status;
static int (*simulate_spm)(struct avr_io_t *port, uint32_t request, void *parameter);
static int client = -1, ready_for_input = 1, is_stuck = 0, is_fresh = 0, is_listening = 0;
static uint8_t input[65536], output[65536];
static size_t input_at, input_length, output_length;
static avr_cycle_count_t last_sign_of_life;

static void fail(const char *what) {
  perror(what);
  exit(2);
}

static void apply_stuck_bits(void) {
  for (uint32_t index = 0; index < control->stuck_count && index < MAX_STUCK_BITS; index++) {
    uint32_t word = control->stuck[index], address = word >> 4;
    uint8_t mask = 1 << (word >> 1 & 7);
    if (address < FLASH_BYTES) avr->flash[address] = word & 1 ? avr->flash[address] | mask : avr->flash[address] & ~mask;
  }
}

/* Bytes of this page that are still done before the power goes; the whole page without a power cut. */
static uint32_t bytes_until_power_cut(uint32_t kind, uint32_t page_bytes) {
  if (control->power_cut != kind) return page_bytes;
  if (control->power_cut_bytes >= page_bytes) {
    control->power_cut_bytes -= page_bytes;
    return page_bytes;
  }
  uint32_t bytes = control->power_cut_bytes;
  control->power_cut = 0;
  control->powered = 0;
  return bytes;
}

/* Self-programming as simavr does it, plus what flash cells and lock bits do: bits only fall, and some parts are bad. */
static int program_memory(struct avr_io_t *port, uint32_t request, void *parameter) {
  if (request != AVR_IOCTL_FLASH_SPM) return simulate_spm(port, request, parameter);
  avr_flash_t *module = (avr_flash_t *)port;
  int erases = avr_regbit_get(avr, module->pgers), writes = !erases && avr_regbit_get(avr, module->pgwrt);
  if (!erases && !writes) return simulate_spm(port, request, parameter);
  uint32_t page_bytes = module->spm_pagesize;
  uint32_t page = (avr->data[R_ZL] | avr->data[R_ZH] << 8) & ~(page_bytes - 1) & (FLASH_BYTES - 1);
  uint8_t before[256], after[256];
  memcpy(before, avr->flash + page, page_bytes);
  int result = simulate_spm(port, request, parameter);
  memcpy(after, avr->flash + page, page_bytes);
  memcpy(avr->flash + page, before, page_bytes);
  /* The boot loader's own section is closed by its lock bits. */
  if (page >= boot_start || (erases && control->dead_erase) || (writes && control->ignores_program)) return result;
  uint32_t done = bytes_until_power_cut(erases ? 2 : 1, page_bytes);
  for (uint32_t at = 0; at < done; at++) avr->flash[page + at] = erases ? 0xff : before[at] & after[at];
  apply_stuck_bits();
  control->revision++;
  is_stuck = is_stuck || control->hangs;
  return result;
}

/* The boot loader asks the serial line for the first time once it is ready for questions. */
static uint8_t on_status_read(struct avr_t *part, avr_io_addr_t address, void *parameter) {
  is_listening = 1;
  return read_status(part, address, parameter);
}

static void on_output(struct avr_irq_t *irq, uint32_t value, void *parameter) {
  if (output_length < sizeof output) output[output_length++] = value;
}

static void on_flow(struct avr_irq_t *irq, uint32_t value, void *parameter) { ready_for_input = parameter != NULL; }

static unsigned read_hex_byte(const char *text) {
  unsigned value;
  if (sscanf(text, "%2x", &value) != 1) fail("boot loader: not a hexadecimal digit");
  return value;
}

/* Intel hexadecimal with any number of gaps; every checksum counts. */
static void load_boot_loader(const char *path) {
  FILE *file = fopen(path, "r");
  char line[600];
  if (file == NULL) fail(path);
  while (fgets(line, sizeof line, file) != NULL && line[0] == ':') {
    unsigned count = read_hex_byte(line + 1), address = read_hex_byte(line + 3) << 8 | read_hex_byte(line + 5);
    unsigned type = read_hex_byte(line + 7), sum = 0;
    if (strlen(line) < 11 + 2 * count) fail("boot loader: a line is too short");
    for (unsigned at = 0; at < count + 5; at++) sum += read_hex_byte(line + 1 + 2 * at);
    if (sum & 0xff) fail("boot loader: a checksum is wrong");
    if (type != 0) continue;
    if (address < boot_start || address + count > FLASH_BYTES) fail("boot loader: outside the boot section");
    for (unsigned at = 0; at < count; at++) avr->flash[address + at] = read_hex_byte(line + 9 + 2 * at);
  }
  fclose(file);
}

static void map_memory(const char *path) {
  int file = open(path, O_RDWR | O_CLOEXEC);
  if (file < 0) fail(path);
  uint8_t *memory = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (memory == MAP_FAILED) fail("mmap");
  close(file);
  avr->flash = memory;
  control = (volatile struct control *)(memory + FLASH_BYTES + EEPROM_BYTES);
  for (avr_io_t *port = avr->io_port; port != NULL; port = port->next) {
    if (strcmp(port->kind, "uart") == 0) uart = (avr_uart_t *)port;
    if (strcmp(port->kind, "eeprom") == 0) ((avr_eeprom_t *)port)->eeprom = memory + FLASH_BYTES;
    if (strcmp(port->kind, "flash") != 0) continue;
    simulate_spm = port->ioctl;
    port->ioctl = program_memory;
  }
}

static void make_part(const char *name, const char *boot_loader_path, const char *memory_path) {
  avr = avr_make_mcu_by_name(name);
  if (avr == NULL) fail("simavr has no such part");
  avr_init(avr);
  avr->frequency = 16000000;
  avr->log = 0;
  map_memory(memory_path);
  load_boot_loader(boot_loader_path);
  avr->reset_pc = boot_start;
  avr->codeend = avr->flashend;
  read_status = avr->io[AVR_DATA_TO_IO(uart->r_ucsra)].r.c;
  avr->io[AVR_DATA_TO_IO(uart->r_ucsra)].r.c = on_status_read;
  uint32_t flags = 0;
  avr_ioctl(avr, AVR_IOCTL_UART_GET_FLAGS('0'), &flags);
  flags &= ~(AVR_UART_FLAG_STDIO | AVR_UART_FLAG_POLL_SLEEP);
  avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
  avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT), on_output, NULL);
  avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUT_XON), on_flow, avr);
  avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUT_XOFF), on_flow, NULL);
}

/* Up to where the boot loader listens: avrdude allows a board a quarter of a second for that, however busy the machine. */
static void reset_part(void) {
  input_at = input_length = output_length = 0;
  ready_for_input = is_fresh = 1;
  is_stuck = 0;
  avr_reset(avr);
  /* The boot loader looks for a program only after a reset by the pin. */
  avr_regbit_set(avr, avr->reset_flags.extrf);
  avr->pc = boot_start;
  is_listening = 0;
  for (avr_cycle_count_t start = avr->cycle; !is_listening && avr->cycle - start < MAX_BOOT_CYCLES;) avr_run(avr);
  output_length = 0;
  last_sign_of_life = avr->cycle;
}

static void run_part(void) {
  /* The line is as fast as the part: at 57600 baud most of the work would be waiting for bits. */
  if (uart->cycles_per_byte > CYCLES_PER_BYTE) uart->cycles_per_byte = CYCLES_PER_BYTE;
  avr_irq_t *line = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT);
  for (int step = 0; step < STEPS_PER_TURN && !is_stuck && control->powered; step++) {
    /* What arrives before the receiver is on would be lost; on a slow machine that is all a tool has to say. */
    int hears = avr_regbit_get(avr, uart->rxen);
    while (hears && ready_for_input && input_at < input_length) avr_raise_irq(line, input[input_at++]);
    int state = avr_run(avr);
    is_stuck = is_stuck || state == cpu_Done || state == cpu_Crashed;
  }
  if (input_at == input_length) input_at = input_length = 0;
  /* A part that lost its power says nothing any more, and nobody hears what it was about to say. */
  if (!control->powered) output_length = 0;
  if (output_length == 0) return;
  last_sign_of_life = avr->cycle;
  for (size_t sent = 0; sent < output_length;) {
    ssize_t count = send(client, output + sent, output_length - sent, MSG_NOSIGNAL);
    if (count <= 0) break;
    sent += count;
  }
  output_length = 0;
}

static int is_running(void) {
  int has_read_all = input_at == input_length && uart->input.read == uart->input.write;
  int waits = has_read_all && avr->cycle - last_sign_of_life > SILENT_CYCLES;
  return client >= 0 && control->powered && !is_stuck && !waits;
}

static int listen_on_loopback(void) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  if (listener < 0 || bind(listener, (void *)&address, length) || listen(listener, 4)) fail("listen");
  if (getsockname(listener, (void *)&address, &length)) fail("getsockname");
  printf("{\"port\":%d}\n", ntohs(address.sin_port));
  fflush(stdout);
  return listener;
}

int main(int count, char **arguments) {
  if (count != 5) return 2;
  boot_start = strtoul(arguments[2], NULL, 0);
  make_part(arguments[1], arguments[3], arguments[4]);
  reset_part();
  struct pollfd wires[2] = {{.fd = listen_on_loopback(), .events = POLLIN}, {.events = POLLIN}};
  for (;;) {
    wires[1].fd = client;
    if (poll(wires, 2, is_running() ? 0 : -1) < 0) fail("poll");
    if (wires[0].revents & POLLIN) {
      if (client >= 0) close(client);
      client = accept(wires[0].fd, NULL, NULL);
      if (!is_fresh) reset_part();
      int at_once = 1;
      setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
      continue;
    }
    if (client >= 0 && wires[1].revents != 0) {
      ssize_t length = read(client, input + input_length, sizeof input - input_length);
      if (length <= 0) {
        close(client);
        client = -1;
        if (!is_fresh) reset_part();
        continue;
      }
      /* A part that is off or stuck does not hear. */
      if (control->powered && !is_stuck) input_length += length;
      is_fresh = 0;
      last_sign_of_life = avr->cycle;
    }
    if (is_running()) run_part();
  }
}
