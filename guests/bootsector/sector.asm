; A boot sector with its second stage: exercises INT 10h, INT 13h by CHS and by LBA, INT 15h E820, the A20 gate, real to protected mode.
;
; Disk: sector 0 is this section's first half, sectors 1..15 are the second stage (this section's rest and load.c), sector 64 on is the
; kernel as an ELF file. The BIOS has loaded sector 0 to 0:7C00 and left the drive's number in DL.

        bits 16
        cpu 686
        global  start
        extern  load

SECOND_STAGE    equ 0x7E00
STAGE_SECTORS   equ 15
SCRATCH         equ 0x6000
DEBUG_EXIT      equ 0xF4

        section .sector progbits alloc exec write align=1
start:  cli
        xor     ax, ax
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     sp, 0x5000
        sti
        cld
        mov     [drive], dl
        mov     si, text_sector
        call    print

        mov     ah, 0x08                ; the geometry; not used below but for telling it
        mov     dl, [drive]
        int     0x13
        jc      bad
        xor     ax, ax                  ; the call may have changed it
        mov     es, ax
        mov     dl, [drive]
        mov     ax, 0x0200 + STAGE_SECTORS
        mov     bx, SECOND_STAGE
        mov     cx, 2                   ; cylinder 0, sector 2
        mov     dh, 0
        int     0x13
        jc      bad
        cmp     dword [second_magic], "2ndS"
        jne     bad
        jmp     second_stage

bad:    mov     si, text_bad
        call    print
        mov     al, 0x11
        out     DEBUG_EXIT, al
        hlt

print:  push    bx
        mov     bx, 7
.next:  lodsb
        test    al, al
        jz      .end
        mov     ah, 0x0E
        int     0x10
        jmp     .next
.end:   pop     bx
        ret

; EAX as eight hexadecimal digits.
hex32:  mov     cx, 8
.digit: rol     eax, 4
        push    eax
        and     al, 0x0F
        cmp     al, 10
        sbb     al, 0x69
        das
        mov     ah, 0x0E
        mov     bx, 7
        int     0x10
        pop     eax
        loop    .digit
        ret

drive:       db 0
text_sector: db "bootsector: sector 0 runs", 13, 10, 0
text_bad:    db "bootsector: the disk cannot be read", 13, 10, 0

        times 510 - ($ - $$) db 0
        dw      0xAA55

; ---- The second stage.
second_magic: db "2ndS"
second_stage:
        ; Sector 1 once more, by its number: the same bytes.
        mov     ah, 0x41
        mov     bx, 0x55AA
        mov     dl, [drive]
        int     0x13
        jc      bad
        mov     ah, 0x42
        mov     si, packet
        mov     dl, [drive]
        int     0x13
        jc      bad
        mov     si, SCRATCH
        mov     di, SECOND_STAGE
        mov     cx, 128
        repe cmpsd
        jne     bad
        mov     si, text_lba
        call    print

        xor     ebx, ebx
.map:   mov     eax, 0xE820
        mov     edx, "PAMS"
        mov     ecx, 20
        mov     di, SCRATCH
        int     0x15
        jc      bad
        push    ebx
        mov     si, text_map
        call    print
        mov     eax, [SCRATCH + 4]
        call    hex32
        mov     eax, [SCRATCH]
        call    hex32
        mov     al, ' '
        mov     ah, 0x0E
        int     0x10
        mov     eax, [SCRATCH + 12]
        call    hex32
        mov     eax, [SCRATCH + 8]
        call    hex32
        mov     al, ' '
        mov     ah, 0x0E
        int     0x10
        mov     al, [SCRATCH + 16]
        add     al, '0'
        mov     ah, 0x0E
        int     0x10
        mov     si, text_line
        call    print
        pop     ebx
        test    ebx, ebx
        jnz     .map

        ; A20 through the keyboard controller's output port.
        cli
.empty: in      al, 0x64
        test    al, 2
        jnz     .empty
        mov     al, 0xD1
        out     0x64, al
.taken: in      al, 0x64
        test    al, 2
        jnz     .taken
        mov     al, 0xDF
        out     0x60, al

        lgdt    [gdtr]
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax
        jmp     dword 0x08:protected

        bits 32
protected:
        mov     ax, 0x10
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        xor     ax, ax
        mov     fs, ax
        mov     gs, ax
        mov     esp, 0x7C00
        call    load
        mov     al, 0x12
        out     DEBUG_EXIT, al
        hlt

        align 8
gdt:    dq      0, 0x00CF9A000000FFFF, 0x00CF92000000FFFF
gdtr:   dw      3 * 8 - 1
        dd      gdt
packet: db      16, 0
        dw      1, SCRATCH, 0
        dq      1
text_lba:  db "bootsector: CHS and LBA agree", 13, 10, 0
text_map:  db "e820: ", 0
text_line: db 13, 10, 0
