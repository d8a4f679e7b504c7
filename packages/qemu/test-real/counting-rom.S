# An option ROM that never gives the machine back: it counts, marks memory with the count, and tells it on the first serial port.
.code16
.byte 0x55, 0xaa, 1             # option ROM of one sector
        jmp start
        .org 0x18               # the BIOS reads pointers here: none
        .word 0, 0
start:  cli
        cld
        movb $0x34, %al         # timer 0: an interrupt every 24,576 ticks of 1,193,182 a second, some 20 ms
        outb %al, $0x43
        xorb %al, %al
        outb %al, $0x40
        movb $0x60, %al
        outb %al, $0x40
        xorl %ebp, %ebp         # the count
        xorw %di, %di           # which of 64 pages is next
round:  movw $64, %cx           # each page a round
mark:   movw %di, %ax
        shlw $8, %ax            # page number to segment
        addw $0x2000, %ax       # pages begin at 0x20000
        movw %ax, %ds
        movl %ebp, 0
        movl %ebp, 0x7fc
        incw %di
        andw $63, %di
        loop mark
        movw $0x3f8, %dx        # COM1
        movw $8, %cx            # eight digits, the highest first
        movl %ebp, %ebx
digit:  roll $4, %ebx
        movb %bl, %al
        andb $15, %al
        addb $0x90, %al         # 0-9 a-f to ASCII
        daa
        adcb $0x40, %al
        daa
        outb %al, %dx
        loop digit
        movb $10, %al
        outb %al, %dx
        incl %ebp
        sti                     # idle until the timer of the BIOS comes
        hlt
        cli
        jmp round
        .org 511
        .byte 0
