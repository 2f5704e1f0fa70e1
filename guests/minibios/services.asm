; A boot sector and its second stage that call every service of the minimal BIOS and report through the debug console; exercises INT 10h..1Ah, the disk paths and the block move.
;
; Sector 0 is this; sectors 1..7 the rest of it; sector 20 is a pattern (sector n holds words of value n); sectors 30 and 31 are written.
; It prints one line per service and ends with "all services work" and debug-exit code 0, or with "FAILED: name" and code 1.

        bits 16
        cpu 486
        org 0x7C00

%macro CHECK 2                          ; condition under which it failed, name
        %1      %%bad
        jmp     %%good
%%name: db      %2, 0
%%bad:  mov     si, %%name
        jmp     failed
%%good:
%endmacro

start:  cmp     dl, 0x80
        jne     $
        mov     ax, 0x0207              ; 7 sectors from cylinder 0, head 0, sector 2
        mov     bx, 0x7E00
        mov     cx, 2
        xor     dh, dh
        int     0x13
        jc      $
        jmp     second_stage

print:  push    ax
        push    bx
        mov     bx, 7
.next:  lodsb
        test    al, al
        jz      .end
        mov     ah, 0x0E
        int     0x10
        jmp     .next
.end:   pop     bx
        pop     ax
        ret

hex32:  mov     cx, 8
.digit: rol     eax, 4
        push    eax
        and     al, 0x0F
        cmp     al, 10
        sbb     al, 0x69                ; the classic conversion of a nibble to a hexadecimal digit
        das
        mov     ah, 0x0E
        mov     bx, 7
        int     0x10
        pop     eax
        loop    .digit
        ret

newline:
        mov     si, text_newline
        jmp     print

failed: push    si
        mov     si, text_failed
        call    print
        pop     si
        call    print
        call    newline
        mov     al, 1
        out     0xF4, al
        cli
        hlt

text_newline: db 13, 10, 0
text_failed:  db "FAILED: ", 0

        times 510 - ($ - $$) db 0
        dw      0xAA55

second_stage:
        mov     si, text_hello
        call    print

        ; ---- Memory.
        int     0x12
        cmp     ax, 639
        CHECK   jne, "int 12h"
        int     0x11
        and     ax, 0x30
        cmp     ax, 0x20
        CHECK   jne, "int 11h"
        xor     ebx, ebx
.map:   mov     eax, 0xE820
        mov     edx, 0x534D4150
        mov     ecx, 20
        mov     di, buffer
        int     0x15
        CHECK   jc, "int 15h e820"
        cmp     eax, 0x534D4150
        CHECK   jne, "int 15h e820: signature"
        push    ebx
        mov     eax, [buffer]
        call    hex32
        mov     eax, [buffer + 8]
        call    hex32
        mov     eax, [buffer + 16]
        call    hex32
        call    newline
        pop     ebx
        test    ebx, ebx
        jnz     .map
        mov     ax, 0xE801
        int     0x15
        CHECK   jc, "int 15h e801"
        cmp     ax, 0x3C00
        CHECK   jne, "int 15h e801: below 16 MiB"
        cmp     dx, 0x100               ; 32 MiB altogether
        CHECK   jne, "int 15h e801: above 16 MiB"
        mov     ah, 0x88
        int     0x15
        cmp     ax, 31 << 10
        CHECK   jne, "int 15h 88"
        mov     ax, 0x2401
        int     0x15
        CHECK   jc, "int 15h 2401"
        mov     ax, 0x2402
        int     0x15
        cmp     ax, 1
        CHECK   jne, "int 15h 2402"
        mov     ax, 0x5300
        int     0x15
        CHECK   jnc, "int 15h 53 is not there"

        ; ---- Disk: parameters.
        xor     ax, ax
        mov     dl, 0x80
        int     0x13
        CHECK   jc, "int 13h 00"
        mov     ah, 0x08
        mov     dl, 0x80
        int     0x13
        CHECK   jc, "int 13h 08"
        cmp     dl, 1
        CHECK   jne, "int 13h 08: drives"
        and     cl, 0x3F
        mov     [sectors], cl
        inc     dh
        mov     [heads], dh
        mov     ah, 0x15
        mov     dl, 0x80
        int     0x13
        cmp     ah, 3
        CHECK   jne, "int 13h 15"
        cmp     dx, 2048
        CHECK   jne, "int 13h 15: sectors"
        mov     ah, 0x15
        mov     dl, 0x81
        int     0x13
        cmp     ah, 0
        CHECK   jne, "int 13h 15: absent drive"
        mov     ah, 0x41
        mov     bx, 0x55AA
        mov     dl, 0x80
        int     0x13
        CHECK   jc, "int 13h 41"
        cmp     bx, 0xAA55
        CHECK   jne, "int 13h 41: signature"
        mov     word [buffer], 26
        mov     ah, 0x48
        mov     si, buffer
        mov     dl, 0x80
        int     0x13
        CHECK   jc, "int 13h 48"
        cmp     dword [buffer + 16], 2048
        CHECK   jne, "int 13h 48: sectors"
        cmp     word [buffer + 24], 512
        CHECK   jne, "int 13h 48: sector size"

        ; ---- Disk: data. Sector 20 by LBA and by CHS.
        mov     si, packet
        mov     ah, 0x42
        mov     dl, 0x80
        int     0x13
        CHECK   jc, "int 13h 42"
        cmp     word [buffer], 20
        CHECK   jne, "int 13h 42: first sector"
        cmp     word [buffer + 1022], 21
        CHECK   jne, "int 13h 42: last word"
        mov     ax, 20
        call    chs
        mov     ax, 0x0201
        mov     bx, buffer + 1024
        int     0x13
        CHECK   jc, "int 13h 02"
        cmp     al, 1
        CHECK   jne, "int 13h 02: count"
        cmp     word [buffer + 1024 + 510], 20
        CHECK   jne, "int 13h 02: data"
        ; Write 30 by CHS and 31 by LBA, read both back across a 64 KiB boundary.
        mov     di, buffer
        mov     cx, 256
        mov     ax, 0x1234
        rep stosw
        mov     ax, 30
        call    chs
        mov     ax, 0x0301
        mov     bx, buffer
        int     0x13
        CHECK   jc, "int 13h 03"
        mov     word [buffer], 0x5678
        mov     word [packet.count], 1
        mov     byte [packet.lba], 31
        mov     si, packet
        mov     ax, 0x4300
        mov     dl, 0x80
        int     0x13
        CHECK   jc, "int 13h 43"
        mov     byte [packet.lba], 30
        mov     word [packet.count], 2
        mov     word [packet.offset], 0xFE80
        mov     word [packet.segment], 0x0000
        mov     si, packet
        mov     ah, 0x42
        mov     dl, 0x80
        int     0x13
        CHECK   jc, "int 13h 42 over a boundary"
        mov     ax, 0x1000
        mov     es, ax
        cmp     dword [es:0x007E], 0x56781234
        mov     ax, 0
        mov     es, ax
        CHECK   jne, "int 13h 42 over a boundary: data"
        cmp     word [0xFE80], 0x1234
        CHECK   jne, "int 13h 03: data"
        ; What cannot work says so.
        mov     dword [packet.lba], 2048
        mov     si, packet
        mov     ah, 0x42
        mov     dl, 0x80
        int     0x13
        CHECK   jnc, "int 13h 42 beyond the end"
        cmp     word [packet.count], 0
        CHECK   jne, "int 13h 42 beyond the end: count"
        mov     ah, 0x01
        mov     dl, 0x80
        int     0x13
        cmp     ah, 4
        CHECK   jne, "int 13h 01"
        mov     ax, 0x0201
        mov     cx, 1
        mov     dx, 0x0081
        mov     bx, buffer
        int     0x13
        CHECK   jnc, "int 13h 02 of an absent drive"

        ; ---- Keyboard: what is stored is read, in order.
        mov     ah, 0x01
        int     0x16
        CHECK   jnz, "int 16h 01: empty"
        mov     ax, 0x0500
        mov     cx, 0x1E61
        int     0x16
        mov     ax, 0x0500
        mov     cx, 0x3062
        int     0x16
        mov     ah, 0x11
        int     0x16
        CHECK   jz, "int 16h 11"
        xor     ax, ax
        int     0x16
        cmp     ax, 0x1E61
        CHECK   jne, "int 16h 00"
        mov     ah, 0x10
        int     0x16
        cmp     ax, 0x3062
        CHECK   jne, "int 16h 10"

        ; ---- Screen.
        mov     ax, 0x0003
        int     0x10
        mov     ah, 0x0F
        int     0x10
        cmp     ax, 0x5003
        CHECK   jne, "int 10h 0f"
        mov     ah, 0x02
        mov     bh, 0
        mov     dx, 24 << 8 | 78
        int     0x10
        mov     ax, 0x0E41              ; two characters to the last line's end: the screen scrolls once
        int     0x10
        mov     ax, 0x0E42
        int     0x10
        mov     ah, 0x03
        mov     bh, 0
        int     0x10
        cmp     dx, 24 << 8
        CHECK   jne, "int 10h 0e: cursor"
        mov     dx, 23 << 8 | 79
        mov     ah, 0x02
        int     0x10
        mov     ah, 0x08
        int     0x10
        cmp     ax, 0x0742
        CHECK   jne, "int 10h 08"
        mov     ax, 0x0923
        mov     bx, 0x001F
        mov     cx, 1
        int     0x10
        mov     ax, 0x0701              ; down again by one
        mov     bh, 0x70
        xor     cx, cx
        mov     dx, 24 << 8 | 79
        int     0x10
        mov     dx, 24 << 8 | 79
        mov     bh, 0
        mov     ah, 0x02
        int     0x10
        mov     ah, 0x08
        int     0x10
        cmp     ax, 0x1F23
        CHECK   jne, "int 10h 07, 09"
        mov     dx, 0
        mov     bh, 0
        mov     ah, 0x02
        int     0x10
        mov     ah, 0x08
        int     0x10
        cmp     ax, 0x7020
        CHECK   jne, "int 10h 07: attribute"
        mov     ax, 0x1301
        mov     bx, 0x0007
        mov     cx, 9
        mov     dx, 5 << 8 | 3
        mov     bp, text_string
        int     0x10
        mov     ah, 0x03
        mov     bh, 0
        int     0x10
        cmp     dx, 6 << 8
        CHECK   jne, "int 10h 13"
        mov     ax, 0x1A00
        int     0x10
        cmp     al, 0x1A
        CHECK   jne, "int 10h 1a"
        mov     ax, 0x4F00
        int     0x10
        cmp     ax, 0x004F
        CHECK   je, "int 10h 4f is not there"

        ; ---- Clock: time of day runs, and a wait waits.
        mov     ah, 0x02
        int     0x1A
        CHECK   jc, "int 1ah 02"
        mov     ah, 0x04
        int     0x1A
        cmp     ch, 0x20
        CHECK   jne, "int 1ah 04"
        xor     ax, ax
        int     0x1A
        push    dx
        mov     ah, 0x86
        mov     cx, 2                   ; 131 ms
        xor     dx, dx
        int     0x15
        xor     ax, ax
        int     0x1A
        pop     ax
        sub     dx, ax
        cmp     dx, 2
        CHECK   jb, "int 15h 86"
        mov     ah, 0xB1
        int     0x1A
        CHECK   jnc, "int 1ah b1 is not there"

        ; ---- Block move to 1 MiB and back.
        mov     si, descriptors
        mov     cx, 4
        mov     ah, 0x87
        int     0x15
        CHECK   jc, "int 15h 87"
        mov     dword [descriptors.source], 0x00000000
        mov     dword [descriptors.source + 2], 0x93200000 ; 2 MiB
        mov     dword [descriptors.target + 2], 0x93000000 + buffer
        mov     word [descriptors.target], 0xFFFF
        mov     word [descriptors.source], 0xFFFF
        mov     si, descriptors
        mov     cx, 4
        mov     ah, 0x87
        int     0x15
        CHECK   jc, "int 15h 87 back"
        cmp     dword [buffer + 4], "move"
        CHECK   jne, "int 15h 87: data"
        mov     ah, 0xC1
        int     0x15
        mov     ax, es
        cmp     ax, 0x9FC0
        CHECK   jne, "int 15h c1"
        cmp     byte [es:0], 1
        CHECK   jne, "the extended BIOS data area"
        xor     ax, ax
        mov     es, ax

        mov     si, text_all
        call    print
        xor     al, al
        out     0xF4, al
        cli
        hlt

; CX, DX of INT 13h for LBA AX.
chs:    div     byte [sectors]
        mov     cl, ah
        inc     cl
        xor     ah, ah
        div     byte [heads]
        mov     dh, ah
        mov     ch, al
        mov     dl, 0x80
        ret

text_hello:  db "services of the minimal BIOS", 13, 10, 0
text_string: db "abc", 13, 10, "def", 13
text_all:    db "all services work", 13, 10, 0
moved:       db "blk move"
sectors:     db 0
heads:       db 0
        align 4
packet:      db 16, 0
.count:      dw 2
.offset:     dw buffer
.segment:    dw 0
.lba:        dd 20, 0
descriptors: times 16 db 0
.source:     dw 0xFFFF, moved, 0x9300, 0
.target:     dw 0xFFFF, 0x0000, 0x9320, 0
             times 16 db 0

        times 8 * 512 - ($ - $$) db 0

buffer  equ 0xA000

; ---- The rest of the disk: sector n holds words of value n.
%assign n 8
%rep 24
        times 256 dw n
%assign n n + 1
%endrep
        times (2048 - 32) * 512 db 0
