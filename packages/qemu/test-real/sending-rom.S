# The counting ROM with a network: each count also goes out as a UDP packet through a virtio-net device in slot 5 (its I/O registers, queue 1).
# The packet holds the count and a word: zero, but in each 16th count the time stamp counter, which no two machines have the same.
.code16
.byte 0x55, 0xaa, 1             # option ROM of one sector
        jmp start
        .org 0x18               # the BIOS reads pointers here: none
        .word 0, 0
frame:  .byte 0x52, 0x54, 0, 0, 0, 1, 0x52, 0x54, 0, 0, 0, 2, 8, 0
        .byte 0x45, 0, 0, 36, 0, 0, 0, 0, 64, 17, 0, 0, 10, 9, 0, 2, 10, 9, 0, 1
        .byte 0x1b, 0x59, 0x1b, 0x5a, 0, 16, 0, 0
start:  cli
        cld
        movb $0x34, %al         # timer 0: an interrupt every 24,576 ticks of 1,193,182 a second, some 20 ms
        outb %al, $0x43
        xorb %al, %al
        outb %al, $0x40
        movb $0x60, %al
        outb %al, $0x40
        movw $0x7000, %ax       # 0x70000: descriptors, 0x71000: available, 0x72000: used, 0x73000: port, 0x73010: packet
        movw %ax, %es
        movw %ax, %fs
        xorw %di, %di
        xorw %ax, %ax
        movw $0x2000, %cx
        rep stosw
        movl $0x80002804, %eax  # command register: I/O and bus master
        call config
        orw $5, %ax
        outl %eax, %dx
        movl $0x80002810, %eax  # first base address
        call config
        andw $0xfffc, %ax
        movw %ax, %fs:0x3000
        movw %ax, %bx
        leaw 18(%bx), %dx       # status: reset, acknowledge, driver
        xorw %ax, %ax
        outb %al, %dx
        movb $1, %al
        outb %al, %dx
        movb $3, %al
        outb %al, %dx
        leaw 4(%bx), %dx        # no features
        xorl %eax, %eax
        outl %eax, %dx
        leaw 14(%bx), %dx       # queue 1 sends
        movb $1, %al
        outw %ax, %dx
        leaw 8(%bx), %dx
        movl $0x70, %eax
        outl %eax, %dx
        leaw 18(%bx), %dx       # driver ready
        movb $7, %al
        outb %al, %dx
        movl $0x73010, %fs:0    # the one descriptor
        movb $60, %fs:8
        movb $1, %fs:0x1000     # no interrupts
        movw $frame, %si
        movw $0x301a, %di
        movw $42, %cx
        .byte 0x2e              # from this ROM
        rep movsb
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
taken:  movw %fs:0x2002, %ax    # the packet before is on its way
        cmpw %fs:0x1002, %ax
        jne taken
        movl %ebp, %fs:0x3044
        xorl %eax, %eax
        testw $15, %bp
        jnz same
        rdtsc
same:   movl %eax, %fs:0x3048
        incw %fs:0x1002
        movw %fs:0x3000, %dx
        addw $16, %dx           # notify queue 1
        movw $1, %ax
        outw %ax, %dx
        incl %ebp
        sti                     # idle until the timer of the BIOS comes
        hlt
        cli
        jmp round
config: movw $0xcf8, %dx        # a word of the configuration of a PCI device
        outl %eax, %dx
        movw $0xcfc, %dx
        inl %dx, %eax
        ret
        .org 511
        .byte 0
