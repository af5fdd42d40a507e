@ SPDX-License-Identifier: Apache-2.0
@
@ Firmware for an AST2500 that boots from its serial flash: it hashes the image it belongs to, as the flash controller
@ shows it, and prints one line on UART5:
@
@     witnessmark boot 1 sha256:<64 digits>
@
@ The image begins with this code; its length, a multiple of 64, stands at `image_bytes`. SHA-256 is FIPS 180-4, section 6.2.

        .syntax unified
        .arch   armv6
        .arm

        .equ    FLASH,   0x20000000             @ the flash controller's window on chip select 0
        .equ    DRAM,    0x80000000
        .equ    UART,    0x1e784000
        .equ    LSR,     0x14                   @ line status register; bit 5: the transmitter takes another byte

        .text
        .global _start
_start: b       boot
        .ascii  "WMBF"
image_bytes:
        .word   0

@ r10: message schedule of 64 words; r11: eight words of state; both in DRAM, as is the padding block behind them.
boot:   ldr     r10, =DRAM
        add     r11, r10, #0x100
        add     sp, r10, #0x1000
        ldr     r0, =initial_state
        ldm     r0, {r2-r9}
        stm     r11, {r2-r9}
        ldr     r4, =FLASH
        ldr     r5, image_bytes
        add     r5, r5, r4
next_block:
        cmp     r4, r5
        beq     pad
        mov     r0, r4
        bl      compress
        add     r4, r4, #64
        b       next_block

@ The length is whole blocks, so the padding is one block of its own: 80, zeroes, the length in bits.
pad:    add     r0, r10, #0x200
        mov     r1, #0
        mov     r2, #0x80
        str     r2, [r0]
        mov     r3, #4
1:      str     r1, [r0, r3]
        add     r3, r3, #4
        cmp     r3, #60
        bne     1b
        ldr     r2, image_bytes
        lsl     r2, r2, #3
        rev     r2, r2
        str     r2, [r0, #60]
        bl      compress

        ldr     r4, =line
        bl      print_text
        mov     r6, #0
1:      ldr     r7, [r11, r6]
        mov     r8, #8
2:      lsr     r0, r7, #28
        lsl     r7, r7, #4
        cmp     r0, #10
        addlo   r0, r0, #'0'
        addhs   r0, r0, #'a' - 10
        bl      print
        subs    r8, r8, #1
        bne     2b
        add     r6, r6, #4
        cmp     r6, #32
        bne     1b
        ldr     r4, =line_end
        bl      print_text
3:      mcr     p15, 0, r1, c7, c0, 4           @ wait for an interrupt that never comes
        b       3b

@ Prints the text at r4 up to its zero.
print_text:
        push    {lr}
1:      ldrb    r0, [r4], #1
        cmp     r0, #0
        popeq   {pc}
        bl      print
        b       1b

print:  ldr     r1, =UART
1:      ldr     r2, [r1, #LSR]
        tst     r2, #0x20
        beq     1b
        str     r0, [r1]
        bx      lr

@ One block at r0 into the state.
compress:
        push    {r4-r9, lr}
        mov     r1, #0
1:      ldr     r2, [r0, r1, lsl #2]
        rev     r2, r2
        str     r2, [r10, r1, lsl #2]
        add     r1, r1, #1
        cmp     r1, #16
        bne     1b
2:      add     r2, r10, r1, lsl #2
        ldr     r3, [r2, #-8]                   @ sigma1(W[t-2])
        mov     r4, r3, ror #17
        eor     r4, r4, r3, ror #19
        eor     r4, r4, r3, lsr #10
        ldr     r3, [r2, #-60]                  @ sigma0(W[t-15])
        mov     r5, r3, ror #7
        eor     r5, r5, r3, ror #18
        eor     r5, r5, r3, lsr #3
        add     r4, r4, r5
        ldr     r3, [r2, #-28]
        add     r4, r4, r3
        ldr     r3, [r2, #-64]
        add     r4, r4, r3
        str     r4, [r2]
        add     r1, r1, #1
        cmp     r1, #64
        bne     2b

        ldm     r11, {r2-r9}                    @ a to h
        mov     r12, #0
3:      mov     r0, r6, ror #6                  @ T1 in r9: h + SIGMA1(e) + Ch(e,f,g) + W[t] + K[t]
        eor     r0, r0, r6, ror #11
        eor     r0, r0, r6, ror #25
        add     r9, r9, r0
        eor     r0, r7, r8
        and     r0, r0, r6
        eor     r0, r0, r8
        add     r9, r9, r0
        ldr     r0, [r10, r12, lsl #2]
        add     r9, r9, r0
        ldr     r1, =round_constants
        ldr     r0, [r1, r12, lsl #2]
        add     r9, r9, r0
        mov     r0, r2, ror #2                  @ T2 in r0: SIGMA0(a) + Maj(a,b,c)
        eor     r0, r0, r2, ror #13
        eor     r0, r0, r2, ror #22
        orr     r1, r2, r3
        and     r1, r1, r4
        and     lr, r2, r3
        orr     r1, r1, lr
        add     r0, r0, r1
        add     r1, r5, r9
        add     r0, r0, r9
        mov     r9, r8
        mov     r8, r7
        mov     r7, r6
        mov     r6, r1
        mov     r5, r4
        mov     r4, r3
        mov     r3, r2
        mov     r2, r0
        add     r12, r12, #1
        cmp     r12, #64
        bne     3b

        mov     r12, r11
        .irp    register, r2, r3, r4, r5, r6, r7, r8, r9
        ldr     r0, [r12]
        add     r0, r0, \register
        str     r0, [r12], #4
        .endr
        pop     {r4-r9, pc}

        .ltorg
line:   .asciz  "witnessmark boot 1 sha256:"
line_end:
        .asciz  "\r\n"
        .balign 4
initial_state:
        .word   0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19
round_constants:
        .word   0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5
        .word   0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174
        .word   0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da
        .word   0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967
        .word   0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85
        .word   0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070
        .word   0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3
        .word   0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2
