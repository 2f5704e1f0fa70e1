; minibios: the BIOS services that boot sectors and boot loaders call, in the last 8 KiB below 1 MiB. Exercises real mode, port I/O, 8259, 8254, 8042, ATA PIO.
;
; It stands in for a PC's BIOS when a machine boots a disk image without a ROM of its own (the interfaces are Ralf Brown's interrupt list's). Build:
;     nasm -f bin -o minibios.bin minibios.asm
; The binary is a resource of the Vmm assembly; a test rebuilds it and compares. The loader fills in the table at `memory_map` before the guest starts.
;
; Every service that returns something in registers pushes the same frame and edits it; FLAG_C in the caller's flags reports failure.

        bits 16
        cpu 486
        org 0xE000

BIOS_SEGMENT    equ 0xF000
EBDA_SEGMENT    equ 0x9FC0
EBDA_KIB        equ 1
BASE_KIB        equ 639

; ---- The BIOS data area, by linear address (DS is 0 in every service).
BDA_COM         equ 0x400
BDA_EBDA        equ 0x40E
BDA_EQUIPMENT   equ 0x410
BDA_BASE_KIB    equ 0x413
BDA_SHIFTS      equ 0x417
BDA_KEY_HEAD    equ 0x41A
BDA_KEY_TAIL    equ 0x41C
BDA_KEYS        equ 0x41E
BDA_KEYS_END    equ 0x43E
BDA_MODE        equ 0x449
BDA_COLUMNS     equ 0x44A
BDA_PAGE_SIZE   equ 0x44C
BDA_CURSOR      equ 0x450
BDA_SHAPE       equ 0x460
BDA_CRTC        equ 0x463
BDA_TICKS       equ 0x46C
BDA_MIDNIGHT    equ 0x470
BDA_DISK_STATUS equ 0x474
BDA_DISK_COUNT  equ 0x475
BDA_KEY_START   equ 0x480
BDA_KEY_END     equ 0x482
BDA_ROWS        equ 0x484
BDA_POINTS      equ 0x485
BDA_KEY_E0      equ 0x496
; Our disks, 16 bytes each, in a part of the BIOS data area that is documented as reserved.
DISKS           equ 0x4B0
DISK_PORT       equ 0                   ; word: first port of the command block
DISK_SELECT     equ 2                   ; byte: device register, without the LBA's bits
DISK_SECTORS    equ 3                   ; byte: sectors per track
DISK_HEADS      equ 4                   ; word
DISK_CYLINDERS  equ 6                   ; word
DISK_TOTAL      equ 8                   ; dword: all sectors
DISK_SIZE       equ 16

; ---- The frame of a service.
F_ES            equ 0
F_DS            equ 2
F_DI            equ 4
F_SI            equ 8
F_BP            equ 12
F_BX            equ 20
F_DX            equ 24
F_CX            equ 28
F_AX            equ 32
F_IP            equ 36
F_FLAGS         equ 40
FLAG_C          equ 1
FLAG_Z          equ 0x40

%macro ENTER_SERVICE 0
        pushad
        push    ds
        push    es
        mov     bp, sp
        cld
        xor     bx, bx                  ; the caller's BX is in the frame
        mov     ds, bx
        mov     bx, [bp + F_BX]
%endmacro

; ---------------------------------------------------------------------------------------------------------------------------------
; What the loader fills in.

signature:      db "ttvm minibios 1", 0
memory_map_count: dw 0
extended_kib:   dd 0                    ; RAM from 1 MiB up to the first hole
                times 0x20 - ($ - $$) db 0
memory_map:     times 8 * 20 db 0       ; base, length, type, as INT 15h E820 gives them

; ---------------------------------------------------------------------------------------------------------------------------------
; Power-on.

post:
        cli
        cld
        xor     ax, ax
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     sp, 0x7000
        mov     eax, cr0
        and     eax, 0x9FFFFFFF         ; CD and NW: caches are off after reset
        mov     cr0, eax
        call    init_vectors
        call    init_data_area
        call    init_chips
        call    init_local_apic
        call    init_keyboard
        call    init_clock
        call    init_video
        call    clear_screen
        call    find_disks
        sti
        int     0x19
        jmp     halt

; All vectors do nothing; then those of the hardware interrupts acknowledge, and those of services serve.
init_vectors:
        xor     di, di
        mov     cx, 256
        mov     ax, ignore
.next:  stosw
        mov     word [di], BIOS_SEGMENT
        add     di, 2
        loop    .next
        mov     di, 0x08 * 4
        mov     cx, 8
        mov     ax, irq_master
        call    .fill
        mov     di, 0x70 * 4
        mov     cx, 8
        mov     ax, irq_slave
        call    .fill
        mov     si, vectors
.table: cs lodsw
        cmp     ax, 0xFFFF
        je      .done
        mov     di, ax
        shl     di, 2
        cs lodsw
        stosw
        jmp     .table
.done:  ret
.fill:  stosw
        add     di, 2
        loop    .fill
        ret

vectors:
        dw      0x08, irq_timer, 0x09, irq_keyboard
        dw      0x10, service_video, 0x11, service_equipment, 0x12, service_memory_size, 0x13, service_disk, 0x14, service_serial
        dw      0x15, service_system, 0x16, service_keyboard, 0x17, service_printer, 0x18, service_no_disk, 0x19, service_boot
        dw      0x1A, service_clock, 0x1E, diskette_parameters
        dw      0xFFFF

init_data_area:
        mov     word [BDA_COM], 0x3F8
        mov     word [BDA_COM + 2], 0x2F8
        mov     word [BDA_EBDA], EBDA_SEGMENT
        mov     word [BDA_EQUIPMENT], 0x0002 | 2 << 4 | 2 << 9
        mov     word [BDA_BASE_KIB], BASE_KIB
        mov     word [BDA_KEY_HEAD], BDA_KEYS - 0x400
        mov     word [BDA_KEY_TAIL], BDA_KEYS - 0x400
        mov     word [BDA_KEY_START], BDA_KEYS - 0x400
        mov     word [BDA_KEY_END], BDA_KEYS_END - 0x400
        mov     byte [BDA_MODE], 3
        mov     word [BDA_COLUMNS], 80
        mov     word [BDA_PAGE_SIZE], 4096
        mov     word [BDA_SHAPE], 0x0D0E
        mov     word [BDA_CRTC], 0x3D4
        mov     byte [BDA_ROWS], 24
        mov     word [BDA_POINTS], 16
        push    ds
        mov     ax, EBDA_SEGMENT
        mov     ds, ax
        mov     byte [0], EBDA_KIB
        pop     ds
        ret

; 8259s at vectors 0x08 and 0x70, all masked but timer, keyboard and cascade; 8254 channel 0 at 18.2 Hz; A20 on.
init_chips:
        mov     al, 0x11
        out     0x20, al
        out     0xA0, al
        mov     al, 0x08
        out     0x21, al
        mov     al, 0x70
        out     0xA1, al
        mov     al, 0x04
        out     0x21, al
        mov     al, 0x02
        out     0xA1, al
        mov     al, 0x01
        out     0x21, al
        out     0xA1, al
        mov     al, 0xF8
        out     0x21, al
        mov     al, 0xFF
        out     0xA1, al
        mov     dx, 0x4D1               ; SCI and the PCI interrupts (9, 10, 11) are level-triggered
        mov     al, 0x0E
        out     dx, al
        mov     al, 0x36
        out     0x43, al
        xor     al, al
        out     0x40, al
        out     0x40, al
        mov     al, 1
        jmp     set_a20

; The local APIC passes the 8259's interrupts on (virtual wire mode, MP specification 3.6.2.2): on, LINT0 = ExtINT, LINT1 = NMI.
; Its registers are near 4 GiB: a data segment loaded in protected mode keeps its limit for the moment that takes.
init_local_apic:
        push    ds
        lgdt    [cs:.gdtr]
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax
        mov     bx, 0x08
        mov     ds, bx
        mov     ebx, 0xFEE00000
        mov     dword [ebx + 0xF0], 0x1FF
        mov     dword [ebx + 0x350], 0x8700
        mov     dword [ebx + 0x360], 0x8400
        mov     bx, 0x10
        mov     ds, bx
        mov     eax, cr0
        and     al, 0xFE
        mov     cr0, eax
        pop     ds
        ret
.gdtr:  dw      3 * 8 - 1
        dd      BIOS_SEGMENT * 16 + .gdt
.gdt:   dq      0, 0x00CF93000000FFFF, 0x000093000000FFFF

; Scan codes translated to set 1, the keyboard's interrupt on, its scanning on, no mouse.
init_keyboard:
        call    .drain
        mov     al, 0x60
        call    .command
        mov     al, 0x65
        call    .data
        mov     al, 0xF4
        call    .data
        mov     cx, 0x2000
.drain_later:
        in      al, 0x64
        loop    .drain_later
.drain: mov     cx, 32
.more:  in      al, 0x64
        test    al, 1
        jz      .empty
        in      al, 0x60
        loop    .more
.empty: ret
.command:
        call    .ready
        out     0x64, al
        ret
.data:  call    .ready
        out     0x60, al
        ret
.ready: push    cx
        push    ax
        xor     cx, cx
.busy:  in      al, 0x64
        test    al, 2
        loopnz  .busy
        pop     ax
        pop     cx
        ret

; The registers of a VGA for mode 3: 80 by 25 characters of 9 by 16 dots (IBM VGA technical reference). The font is the adapter's own affair.
init_video:
        mov     dx, 0x3C2
        mov     al, 0x67
        out     dx, al
        mov     si, .sequencer
        mov     dx, 0x3C4
        mov     cx, 5
        call    .indexed
        mov     dx, 0x3D4
        mov     ax, 0x0E11              ; CRTC registers 0..7 are protected by bit 7 of 0x11
        out     dx, ax
        mov     cx, 25
        call    .indexed
        mov     dx, 0x3CE
        mov     cx, 9
        call    .indexed
        mov     dx, 0x3DA               ; makes the attribute controller expect an index
        in      al, dx
        mov     dx, 0x3C0
        xor     ah, ah
        mov     cx, 21
.attribute:
        mov     al, ah
        out     dx, al
        cs lodsb
        out     dx, al
        inc     ah
        loop    .attribute
        mov     al, 0x20                ; and shows the screen
        out     dx, al
        ret
; CX registers from 0 on, index at DX and data behind it, from CS:SI.
.indexed:
        xor     bl, bl
.next:  cs lodsb
        mov     ah, al
        mov     al, bl
        out     dx, ax
        inc     bl
        loop    .next
        ret
.sequencer:
        db      0x03, 0x00, 0x03, 0x00, 0x02
        db      0x5F, 0x4F, 0x50, 0x82, 0x55, 0x81, 0xBF, 0x1F, 0x00, 0x4F, 0x0D, 0x0E, 0x00, 0x00, 0x00, 0x00 ; CRTC
        db      0x9C, 0x8E, 0x8F, 0x28, 0x1F, 0x96, 0xB9, 0xA3, 0xFF
        db      0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0E, 0x0F, 0xFF ; graphics controller
        db      0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3A, 0x3B, 0x3C, 0x3D, 0x3E, 0x3F ; palette
        db      0x0C, 0x00, 0x0F, 0x08, 0x00

; The tick count since midnight from the RTC: seconds * 1193182 / 65536.
init_clock:
        mov     al, 4
        call    read_rtc_binary
        imul    ebx, eax, 3600
        mov     al, 2
        call    read_rtc_binary
        imul    eax, eax, 60
        add     ebx, eax
        mov     al, 0
        call    read_rtc_binary
        add     eax, ebx
        mov     ebx, 1193182
        mul     ebx
        shrd    eax, edx, 16
        mov     [BDA_TICKS], eax
        ret

; EAX = the RTC register AL as a binary number.
read_rtc_binary:
        call    read_cmos
        movzx   eax, al
        mov     dl, al
        shr     al, 4
        mov     ah, 10
        mul     ah
        and     dl, 0x0F
        add     al, dl
        movzx   eax, al
        ret

read_cmos:
        out     0x70, al
        in      al, 0x71
        ret

halt:   cli
        hlt
        jmp     halt

; ---------------------------------------------------------------------------------------------------------------------------------
; Hardware interrupts.

irq_slave:
        push    ax
        mov     al, 0x20
        out     0xA0, al
        out     0x20, al
        pop     ax
        iret

irq_master:
        push    ax
        mov     al, 0x20
        out     0x20, al
        pop     ax
ignore: iret

irq_timer:
        push    ds
        push    eax
        xor     ax, ax
        mov     ds, ax
        mov     eax, [BDA_TICKS]
        inc     eax
        cmp     eax, 0x1800B0           ; ticks in a day
        jb      .same_day
        xor     eax, eax
        inc     byte [BDA_MIDNIGHT]
.same_day:
        mov     [BDA_TICKS], eax
        int     0x1C
        mov     al, 0x20
        out     0x20, al
        pop     eax
        pop     ds
        iret

; IRQ 1: keeps the shift keys and puts other keys, as scan code and character, into the ring.
irq_keyboard:
        pushad
        push    ds
        xor     ax, ax
        mov     ds, ax
        in      al, 0x60
        cmp     al, 0xE0
        je      .prefix
        mov     ah, al
        mov     al, [BDA_KEY_E0]
        mov     byte [BDA_KEY_E0], 0
        test    al, al
        jz      .plain
        mov     al, ah
        and     al, 0x7F                ; E0 2A and E0 36 are no shift keys: they come with the grey keys
        cmp     al, 0x2A
        je      .done
        cmp     al, 0x36
        je      .done
.plain: mov     al, ah
        and     al, 0x7F
        mov     si, shift_keys
.shift: mov     bx, [cs:si]
        test    bl, bl
        jz      .key
        cmp     bl, al
        je      .is_shift
        add     si, 2
        jmp     .shift
.is_shift:
        test    ah, ah
        js      .released
        or      [BDA_SHIFTS], bh
        jmp     .done
.released:
        not     bh
        and     [BDA_SHIFTS], bh
        jmp     .done
.key:   test    ah, ah
        js      .done
        cmp     al, 0x3A
        jne     .not_caps
        xor     byte [BDA_SHIFTS], 0x40
        jmp     .done
.not_caps:
        call    translate_key
        test    ax, ax
        jz      .done
        call    put_key
        jmp     .done
.prefix:
        mov     byte [BDA_KEY_E0], 1
.done:  mov     al, 0x20
        out     0x20, al
        pop     ds
        popad
        iret

shift_keys:
        db      0x36, 0x01, 0x2A, 0x02, 0x1D, 0x04, 0x38, 0x08, 0, 0

; AL = scan code; AX = scan code and character, or 0.
translate_key:
        movzx   bx, al
        mov     ah, al
        cmp     al, key_count
        jae     .no_character
        mov     cl, [BDA_SHIFTS]
        mov     al, [cs:keys_plain + bx]
        test    cl, 3
        jz      .unshifted
        mov     al, [cs:keys_shifted + bx]
.unshifted:
        test    cl, 0x40
        jz      .no_caps
        mov     ch, al
        or      ch, 0x20
        cmp     ch, 'a'
        jb      .no_caps
        cmp     ch, 'z'
        ja      .no_caps
        xor     al, 0x20
.no_caps:
        test    cl, 4
        jz      .no_control
        mov     ch, al
        or      ch, 0x20
        cmp     ch, 'a'
        jb      .no_control
        cmp     ch, 'z'
        ja      .no_control
        and     al, 0x1F
.no_control:
        test    cl, 8
        jz      .done
        xor     al, al                  ; with Alt: the scan code alone
.done:  ret
.no_character:
        xor     al, al
        cmp     ah, 0x59
        jb      .done
        xor     ax, ax
        ret

keys_plain:
        db      0, 27, "1234567890-=", 8, 9, "qwertyuiop[]", 13, 0, "asdfghjkl;'`", 0, 92, "zxcvbnm,./", 0, "*", 0, " "
key_count       equ $ - keys_plain
keys_shifted:
        db      0, 27, "!@#$%^&*()_+", 8, 0, "QWERTYUIOP{}", 13, 0, 'ASDFGHJKL:"~', 0, "|", "ZXCVBNM<>?", 0, "*", 0, " "

; Puts AX into the ring; CF when it is full.
put_key:
        mov     bx, [BDA_KEY_TAIL]
        mov     si, bx
        call    next_key
        cmp     bx, [BDA_KEY_HEAD]
        je      .full
        mov     [si + 0x400], ax
        mov     [BDA_KEY_TAIL], bx
        clc
        ret
.full:  stc
        ret

; BX = the ring's position after BX.
next_key:
        add     bx, 2
        cmp     bx, [BDA_KEY_END]
        jb      .inside
        mov     bx, [BDA_KEY_START]
.inside:
        ret

; ---------------------------------------------------------------------------------------------------------------------------------
; Ends of services.

leave_ok:
        and     byte [bp + F_FLAGS], ~FLAG_C
leave_service:
        pop     es
        pop     ds
        popad
        iret

; Failure with AH as the caller's AH.
leave_error:
        mov     [bp + F_AX + 1], ah
        or      byte [bp + F_FLAGS], FLAG_C
        jmp     leave_service

leave_unsupported:
        mov     ah, 0x86
        jmp     leave_error

; ---------------------------------------------------------------------------------------------------------------------------------
; INT 10h: the text screen.

service_video:
        ENTER_SERVICE
        mov     ax, 0xB800
        mov     es, ax
        mov     ax, [bp + F_AX]
        cmp     ah, 0x13
        ja      .above
        movzx   si, ah
        shl     si, 1
        jmp     [cs:.table + si]
.above: cmp     ah, 0x1A
        je      .combination
        jmp     leave_service
.table: dw      .set_mode, .set_shape, .set_cursor, .get_cursor, leave_service, leave_service, .scroll, .scroll
        dw      .read, .write, .write_character, leave_service, leave_service, leave_service, .teletype, .get_mode
        dw      leave_service, .font, .alternate, .string

.set_mode:
        mov     byte [bp + F_AX], 0x30
        test    al, al
        js      leave_service           ; bit 7: keep the content
        call    clear_screen
        jmp     leave_service
.set_shape:
        mov     cx, [bp + F_CX]
        mov     [BDA_SHAPE], cx
        mov     al, 0x0A
        call    write_crtc
        jmp     leave_service
.set_cursor:
        mov     dx, [bp + F_DX]
        call    move_cursor
        jmp     leave_service
.get_cursor:
        mov     dx, [BDA_CURSOR]
        mov     [bp + F_DX], dx
        mov     cx, [BDA_SHAPE]
        mov     [bp + F_CX], cx
        jmp     leave_service
.get_mode:
        mov     word [bp + F_AX], 80 << 8 | 3
        mov     byte [bp + F_BX + 1], 0
        jmp     leave_service
.scroll:
        mov     cx, [bp + F_CX]
        mov     dx, [bp + F_DX]
        mov     bh, [bp + F_BX + 1]
        call    scroll
        jmp     leave_service
.read:  call    cursor_offset
        mov     ax, [es:di]
        mov     [bp + F_AX], ax
        jmp     leave_service
.write: call    cursor_offset
        mov     ah, bl
        mov     cx, [bp + F_CX]
        rep stosw
        jmp     leave_service
.write_character:
        call    cursor_offset
        mov     cx, [bp + F_CX]
        jcxz    .none
.each:  stosb
        inc     di
        loop    .each
.none:  jmp     leave_service
.teletype:
        call    teletype
        jmp     leave_service
.font:  cmp     al, 0x30
        jne     .none
        mov     word [bp + F_CX], 16
        mov     byte [bp + F_DX], 24
        jmp     leave_service
.alternate:
        cmp     bl, 0x10
        jne     .none
        mov     word [bp + F_BX], 0x0003 ; colour, 256 KiB
        mov     word [bp + F_CX], 0
        jmp     leave_service
.combination:
        mov     byte [bp + F_AX], 0x1A
        mov     word [bp + F_BX], 0x0008 ; a VGA with an analogue colour display, and nothing else
        jmp     leave_service
; AL bit 0: the cursor moves; bit 1: characters alternate with attributes. The caller's ES:BP points to the string.
.string:
        mov     si, [bp + F_BP]
        mov     cx, [bp + F_CX]
        push    word [BDA_CURSOR]
        mov     dx, [bp + F_DX]
        call    move_cursor
        mov     ds, [bp + F_ES]
        jcxz    .string_end
.character:
        lodsb
        mov     ah, bl
        test    byte [bp + F_AX], 2
        jz      .have_attribute
        xchg    ax, bx
        lodsb
        xchg    ax, bx
        mov     ah, bl
.have_attribute:
        push    ds
        push    0
        pop     ds
        call    teletype_coloured
        pop     ds
        loop    .character
.string_end:
        push    0
        pop     ds
        pop     dx
        test    byte [bp + F_AX], 1
        jnz     .moved
        call    move_cursor
.moved: jmp     leave_service

; Fills the screen with grey blanks; the cursor goes to the upper left corner.
clear_screen:
        push    es
        mov     ax, 0xB800
        mov     es, ax
        xor     di, di
        mov     cx, 80 * 25
        mov     ax, 0x0720
        rep stosw
        pop     es
        xor     dx, dx
; DH = row, DL = column.
move_cursor:
        mov     [BDA_CURSOR], dx
        call    cursor_offset
        push    cx
        mov     cx, di
        shr     cx, 1
        push    ax
        mov     al, 0x0E
        call    write_crtc
        pop     ax
        pop     cx
        ret

; CRTC registers AL and AL + 1 = CH and CL.
write_crtc:
        push    dx
        mov     dx, 0x3D4
        mov     ah, ch
        out     dx, ax
        inc     al
        mov     ah, cl
        out     dx, ax
        pop     dx
        ret

; DI = offset of the cursor's cell.
cursor_offset:
        push    ax
        mov     al, 80
        mul     byte [BDA_CURSOR + 1]
        movzx   di, byte [BDA_CURSOR]
        add     di, ax
        shl     di, 1
        pop     ax
        ret

; Writes AL at the cursor as a terminal would, and to the debug console; ES = 0xB800. teletype keeps the cell's attribute, teletype_coloured sets AH.
teletype:
        xor     ah, ah
teletype_coloured:
        pusha
        out     0xE9, al
        cmp     al, 13
        je      .return
        cmp     al, 10
        je      .line
        cmp     al, 8
        je      .back
        cmp     al, 7
        je      .done
        call    cursor_offset
        stosb
        test    ah, ah
        jz      .keep
        mov     [es:di], ah
.keep:  mov     dx, [BDA_CURSOR]
        inc     dl
        cmp     dl, 80
        jb      .move
        xor     dl, dl
        jmp     .down
.return:
        mov     dx, [BDA_CURSOR]
        xor     dl, dl
        jmp     .move
.back:  mov     dx, [BDA_CURSOR]
        sub     dl, 1
        adc     dl, 0
        jmp     .move
.line:  mov     dx, [BDA_CURSOR]
.down:  inc     dh
        cmp     dh, 25
        jb      .move
        push    dx
        mov     ax, 0x0601
        mov     bh, 7
        xor     cx, cx
        mov     dx, 24 << 8 | 79
        call    scroll
        pop     dx
        dec     dh
.move:  call    move_cursor
.done:  popa
        ret

; Scrolls the window CH,CL..DH,DL by AL lines (0: all), up if AH is 6, else down; new lines get attribute BH.
scroll:
        pusha
        push    ds
        push    es
        push    0xB800
        pop     es
        push    es
        pop     ds
        cmp     dl, 79
        jbe     .right_inside
        mov     dl, 79
.right_inside:
        cmp     dh, 24
        jbe     .bottom_inside
        mov     dh, 24
.bottom_inside:
        cmp     ch, dh
        ja      .end
        cmp     cl, dl
        ja      .end
        mov     bl, dh
        sub     bl, ch
        inc     bl                      ; BL = rows of the window
        test    al, al
        jz      .all
        cmp     al, bl
        jbe     .have_count
.all:   mov     al, bl
.have_count:
        sub     bl, al                  ; BL = rows to move, AL = rows to clear
        mov     si, 160                 ; SI = from one row to the next
        cmp     ah, 6
        je      .up
        mov     ch, dh
        neg     si
.up:    push    ax
        mov     al, 160
        mul     ch
        movzx   di, cl
        shl     di, 1
        add     di, ax                  ; DI = first cell of the first row to fill
        sub     dl, cl
        inc     dl                      ; DL = columns
        pop     ax
        push    bx
        mov     bl, al
        xor     bh, bh
        imul    bx, si                  ; BX = distance that rows move
        mov     bp, bx
        pop     bx
.row:   test    bl, bl
        jz      .clear
        push    si
        push    di
        mov     si, di
        add     si, bp
        movzx   cx, dl
        rep movsw
        pop     di
        pop     si
        add     di, si
        dec     bl
        jmp     .row
.clear: test    al, al
        jz      .end
        push    ax
        push    di
        mov     ah, bh
        mov     al, ' '
        movzx   cx, dl
        rep stosw
        pop     di
        pop     ax
        add     di, si
        dec     al
        jmp     .clear
.end:   pop     es
        pop     ds
        popa
        ret

; Writes the zero-terminated string CS:SI.
print:
        pusha
        push    es
        mov     ax, 0xB800
        mov     es, ax
.next:  cs lodsb
        test    al, al
        jz      .end
        call    teletype
        jmp     .next
.end:   pop     es
        popa
        ret

; ---------------------------------------------------------------------------------------------------------------------------------
; INT 11h, INT 12h, INT 17h.

service_equipment:
        push    ds
        push    0
        pop     ds
        mov     ax, [BDA_EQUIPMENT]
        pop     ds
        iret

service_memory_size:
        push    ds
        push    0
        pop     ds
        mov     ax, [BDA_BASE_KIB]
        pop     ds
        iret

service_printer:
        mov     ah, 1                   ; time-out: there is no printer
        iret

; ---------------------------------------------------------------------------------------------------------------------------------
; INT 13h: disks, through ATA PIO.

; Fills the table of disks with the ATA disks that answer.
find_disks:
        mov     byte [BDA_DISK_COUNT], 0
        mov     di, DISKS
        mov     dx, 0x1F0
        mov     al, 0xE0
        call    .probe
        mov     al, 0xF0
        call    .probe
        mov     dx, 0x170
        mov     al, 0xE0
        call    .probe
        mov     al, 0xF0
.probe: pusha
        mov     [di + DISK_PORT], dx
        mov     [di + DISK_SELECT], al
        mov     dword [di + DISK_TOTAL], 0x0FFFFFFF
        mov     si, di
        add     dx, 6
        out     dx, al
        inc     dx
        in      al, dx
        cmp     al, 0xFF
        je      .none
        test    al, al
        jz      .none
        xor     eax, eax
        mov     bl, 0xEC                ; IDENTIFY DEVICE
        call    ata_begin
        jc      .none
        mov     di, 0x7C00              ; free until the boot sector is there
        mov     cx, 256
        rep insw
        call    ata_end
        mov     eax, [0x7C00 + 60 * 2]
        mov     [si + DISK_TOTAL], eax
        call    geometry
        inc     byte [BDA_DISK_COUNT]
        popa
        add     di, DISK_SIZE
        ret
.none:  popa
        ret

; The geometry that INT 13h shows of disk SI: the disk's own if that has at most 1024 cylinders, else one of 63 sectors with as few heads as suffice.
geometry:
        mov     ax, [0x7C00 + 1 * 2]
        mov     bx, [0x7C00 + 3 * 2]
        mov     cl, [0x7C00 + 6 * 2]
        test    ax, ax
        jz      .assist
        test    bx, bx
        jz      .assist
        test    cl, cl
        jz      .assist
        cmp     ax, 1024
        jbe     .store
.assist:
        mov     cl, 63
        mov     bx, 16
.try:   movzx   edi, bx
        imul    edi, edi, 63
        mov     eax, [si + DISK_TOTAL]
        xor     edx, edx
        div     edi
        cmp     eax, 1024
        jbe     .store
        cmp     bx, 255
        je      .limit
        shl     bx, 1
        cmp     bx, 256
        jb      .try
        mov     bx, 255
        jmp     .try
.limit: mov     ax, 1024
.store: mov     [si + DISK_CYLINDERS], ax
        mov     [si + DISK_HEADS], bx
        mov     [si + DISK_SECTORS], cl
        ret

; Gives disk SI command BL for one sector at LBA EAX. CF when it fails, else it waits for data or, if BL is 0x40 (verify), is done. Its interrupt is off until ata_end.
ata_begin:
        push    eax
        push    ecx
        push    edx
        mov     ecx, eax
        mov     dx, [si + DISK_PORT]
        add     dx, 0x206
        mov     al, 0x0A
        out     dx, al
        call    .wait_idle
        jc      .failed
        mov     dx, [si + DISK_PORT]
        add     dx, 6
        mov     eax, ecx
        shr     eax, 24
        and     al, 0x0F
        or      al, [si + DISK_SELECT]
        out     dx, al
        call    .wait_idle
        jc      .failed
        mov     dx, [si + DISK_PORT]
        add     dx, 2
        mov     al, 1
        out     dx, al
        inc     dx
        mov     eax, ecx
        out     dx, al
        inc     dx
        shr     eax, 8
        out     dx, al
        inc     dx
        shr     eax, 8
        out     dx, al
        add     dx, 2
        mov     al, bl
        out     dx, al
        call    .wait_idle
        jc      .failed
        test    al, al                  ; a channel without this device reads zero
        jz      .refused
        test    al, 0x21                ; ERR, DF
        jnz     .refused
        cmp     bl, 0x40
        je      .ok
        test    al, 0x08                ; DRQ
        jz      .refused
.ok:    mov     dx, [si + DISK_PORT]
        clc
        jmp     .out
.refused:
.failed:
        call    ata_end
        stc
.out:   pop     edx
        mov     dx, [si + DISK_PORT]
        pop     ecx
        pop     eax
        ret
; AL = status after BSY has gone; CF if it does not go.
.wait_idle:
        push    ecx
        mov     dx, [si + DISK_PORT]
        add     dx, 7
        mov     ecx, 0x400000
.poll:  in      al, dx
        test    al, 0x80
        jz      .idle
        dec     ecx
        jnz     .poll
        pop     ecx
        stc
        ret
.idle:  pop     ecx
        clc
        ret

; Waits until disk SI is done and lets it interrupt again. CF when the command failed.
ata_end:
        push    ax
        push    dx
        call    ata_begin.wait_idle
        jc      .out
        and     al, 0x21
        neg     al                      ; CF unless zero
.out:   pushf
        mov     dx, [si + DISK_PORT]
        add     dx, 0x206
        mov     al, 0x08
        out     dx, al
        popf
        pop     dx
        pop     ax
        ret

; Moves CX sectors between disk SI from LBA EAX on and ES:DI by command BL (0x20 read, 0x30 write, 0x40 verify). CF and AH = status when it fails; CX = sectors left.
transfer:
        push    ebx
        push    edx
        push    edi
.next:  test    cx, cx
        jz      .ok
        cmp     eax, [si + DISK_TOTAL]
        jae     .range
        mov     dx, di                  ; keep the offset small, so that no sector wraps around its segment
        shr     dx, 4
        and     di, 0x0F
        push    ax
        mov     ax, es
        add     ax, dx
        mov     es, ax
        pop     ax
        call    ata_begin
        jc      .failed
        push    cx
        mov     cx, 256
        cmp     bl, 0x20
        je      .read
        cmp     bl, 0x30
        jne     .moved
        push    ds
        push    si
        mov     si, di
        push    es
        pop     ds
        rep outsw
        mov     di, si
        pop     si
        pop     ds
        jmp     .moved
.read:  rep insw
.moved: pop     cx
        call    ata_end
        jc      .failed
        inc     eax
        dec     cx
        jmp     .next
.ok:    clc
        jmp     .out
.range: mov     ah, 0x04                ; sector not found
        jmp     .error
.failed:
        mov     ah, 0x20                ; controller failure
.error: stc
.out:   pop     edi
        pop     edx
        pop     ebx
        ret

service_disk:
        ENTER_SERVICE
        sti
        mov     ax, [bp + F_AX]
        mov     dl, [bp + F_DX]
        cmp     ah, 0x01
        je      .status
        sub     dl, 0x80
        jb      .no_drive
        cmp     dl, [BDA_DISK_COUNT]
        jae     .no_drive
        movzx   si, dl
        shl     si, 4
        add     si, DISKS
        mov     bl, 0x20
        cmp     ah, 0x02
        je      .by_chs
        cmp     ah, 0x42
        je      .by_lba
        mov     bl, 0x30
        cmp     ah, 0x03
        je      .by_chs
        cmp     ah, 0x43
        je      .by_lba
        mov     bl, 0x40
        cmp     ah, 0x04
        je      .by_chs
        cmp     ah, 0x44
        je      .by_lba
        cmp     ah, 0x08
        je      .parameters
        cmp     ah, 0x15
        je      .type
        cmp     ah, 0x41
        je      .extensions
        cmp     ah, 0x48
        je      .extended_parameters
        mov     cx, 6
        mov     di, .trivial
.trivial_next:
        cmp     ah, [cs:di]
        je      .done
        inc     di
        loop    .trivial_next
.bad:   mov     ah, 0x01
        jmp     .error
.trivial:
        db      0x00, 0x09, 0x0C, 0x0D, 0x10, 0x47 ; reset, set up, seek, reset, ready?, extended seek

.no_drive:
        cmp     ah, 0x15                ; its answer for "no such drive" is no error
        jne     .bad
        mov     word [bp + F_AX], 0
        jmp     leave_ok
.status:
        mov     ah, [BDA_DISK_STATUS]
        test    ah, ah
        jz      .done
        jmp     leave_error
.error: mov     [BDA_DISK_STATUS], ah
        jmp     leave_error
.done:  mov     byte [BDA_DISK_STATUS], 0
        mov     byte [bp + F_AX + 1], 0
        jmp     leave_ok

; CH and CL bits 6..7 = cylinder, CL bits 0..5 = sector from 1, DH = head.
.by_chs:
        mov     cx, [bp + F_CX]
        movzx   edi, cl
        and     di, 0x3F
        jz      .bad
        movzx   ax, byte [si + DISK_SECTORS]
        cmp     di, ax
        ja      .bad
        dec     di
        rol     cl, 2
        and     cl, 3
        xchg    ch, cl                  ; CX = cylinder
        cmp     cx, [si + DISK_CYLINDERS]
        jae     .bad
        movzx   eax, cx
        movzx   ecx, word [si + DISK_HEADS]
        mul     ecx
        movzx   ecx, byte [bp + F_DX + 1]
        cmp     cx, [si + DISK_HEADS]
        jae     .bad
        add     eax, ecx
        movzx   ecx, byte [si + DISK_SECTORS]
        mul     ecx
        add     eax, edi
        movzx   cx, byte [bp + F_AX]
        test    cx, cx
        jz      .bad
        mov     es, [bp + F_ES]
        mov     di, [bp + F_BX]
        push    cx
        call    transfer
        pop     dx
        mov     al, dl
        sub     al, cl                  ; sectors done
        mov     [bp + F_AX], al
        jc      .error
        jmp     .done

; The caller's DS:SI points to size, 0, word count, dword buffer, qword LBA.
.by_lba:
        push    ds
        mov     ds, [bp + F_DS]
        mov     di, [bp + F_SI]
        cmp     byte [di], 16
        jb      .bad_packet
        mov     cx, [di + 2]
        mov     eax, [di + 12]
        test    eax, eax
        jnz     .bad_packet
        mov     eax, [di + 8]
        les     di, [di + 4]
        pop     ds
        push    cx
        call    transfer
        pop     dx
        pushf
        sub     dx, cx
        mov     es, [bp + F_DS]
        mov     di, [bp + F_SI]
        mov     [es:di + 2], dx
        popf
        jc      .error
        jmp     .done
.bad_packet:
        pop     ds
        jmp     .bad

.parameters:
        mov     ax, [si + DISK_CYLINDERS]
        dec     ax
        mov     cl, ah
        ror     cl, 2
        or      cl, [si + DISK_SECTORS]
        mov     ch, al
        mov     [bp + F_CX], cx
        mov     ax, [si + DISK_HEADS]
        dec     al
        mov     ah, al
        mov     al, [BDA_DISK_COUNT]
        mov     [bp + F_DX], ax
        mov     byte [bp + F_AX], 0
        mov     byte [bp + F_BX], 0
        jmp     .done
.type:  mov     byte [bp + F_AX + 1], 3
        mov     eax, [si + DISK_TOTAL]
        mov     [bp + F_DX], ax
        shr     eax, 16
        mov     [bp + F_CX], ax
        jmp     leave_ok
.extensions:
        cmp     word [bp + F_BX], 0x55AA
        jne     .bad
        mov     word [bp + F_BX], 0xAA55
        mov     byte [bp + F_AX + 1], 0x01
        mov     word [bp + F_CX], 0x0001 ; packet access, nothing removable
        jmp     leave_ok
; The caller's DS:SI points to a buffer that begins with its size.
.extended_parameters:
        mov     es, [bp + F_DS]
        mov     di, [bp + F_SI]
        cmp     word [es:di], 26
        jb      .bad
        mov     ax, 26
        stosw
        mov     ax, 0x0002              ; the geometry is valid
        stosw
        movzx   eax, word [si + DISK_CYLINDERS]
        stosd
        movzx   eax, word [si + DISK_HEADS]
        stosd
        movzx   eax, byte [si + DISK_SECTORS]
        stosd
        mov     eax, [si + DISK_TOTAL]
        stosd
        xor     eax, eax
        stosd
        mov     ax, 512
        stosw
        jmp     .done

diskette_parameters:
        db      0xDF, 0x02, 0x25, 2, 18, 0x1B, 0xFF, 0x6C, 0xF6, 0x0F, 0x08

; ---------------------------------------------------------------------------------------------------------------------------------
; INT 14h: serial ports, polled.

service_serial:
        ENTER_SERVICE
        mov     si, [bp + F_DX]
        cmp     si, 2
        jae     .no_port
        shl     si, 1
        mov     dx, [BDA_COM + si]
        mov     ax, [bp + F_AX]
        test    ah, ah
        jz      .init
        dec     ah
        jz      .send
        dec     ah
        jz      .receive
        dec     ah
        jz      .status
.no_port:
        mov     byte [bp + F_AX + 1], 0x80
        jmp     leave_service
; AL = baud rate (bits 5..7), parity, stop and data bits (bits 0..4, as the 16550's line control has them).
.init:  movzx   bx, al
        shr     bx, 5
        shl     bx, 1
        mov     cx, [cs:.divisors + bx]
        and     al, 0x1F
        push    ax
        add     dx, 3
        or      al, 0x80
        out     dx, al
        sub     dx, 3
        mov     al, cl
        out     dx, al
        inc     dx
        mov     al, ch
        out     dx, al
        add     dx, 2
        pop     ax
        out     dx, al
        sub     dx, 3
.status:
        add     dx, 5
        in      al, dx
        mov     ah, al
        inc     dx
        in      al, dx
        mov     [bp + F_AX], ax
        jmp     leave_service
.divisors:
        dw      1047, 768, 384, 192, 96, 48, 24, 12
.send:  add     dx, 5
        xor     cx, cx
.full:  in      al, dx
        test    al, 0x20
        jnz     .room
        loop    .full
        jmp     .no_port
.room:  mov     [bp + F_AX + 1], al
        sub     dx, 5
        mov     al, [bp + F_AX]
        out     dx, al
        jmp     leave_service
.receive:
        add     dx, 5
        xor     cx, cx
.empty: in      al, dx
        test    al, 0x01
        jnz     .got
        loop    .empty
        jmp     .no_port
.got:   and     al, 0x1E
        mov     [bp + F_AX + 1], al
        sub     dx, 5
        in      al, dx
        mov     [bp + F_AX], al
        jmp     leave_service

; ---------------------------------------------------------------------------------------------------------------------------------
; INT 15h: memory map, A20 and the rest of the system.

service_system:
        ENTER_SERVICE
        mov     ax, [bp + F_AX]
        cmp     ax, 0xE820
        je      .memory_map
        cmp     ax, 0xE801
        je      .memory_e801
        cmp     ah, 0x88
        je      .memory_88
        cmp     ah, 0x87
        je      .block_move
        cmp     ah, 0x24
        je      .a20
        cmp     ah, 0x86
        je      .wait
        cmp     ah, 0xC0
        je      .configuration
        cmp     ah, 0xC1
        je      .ebda
        jmp     leave_unsupported

.memory_map:
        cmp     dword [bp + F_DX], 0x534D4150 ; "SMAP"
        jne     leave_unsupported
        cmp     dword [bp + F_CX], 20
        jb      leave_unsupported
        mov     ebx, [bp + F_BX]
        movzx   eax, word [cs:memory_map_count]
        cmp     ebx, eax
        jae     leave_unsupported
        imul    si, bx, 20
        add     si, memory_map
        mov     es, [bp + F_ES]
        mov     di, [bp + F_DI]
        mov     cx, 20
        cs rep movsb
        inc     ebx
        cmp     ebx, eax
        jb      .more
        xor     ebx, ebx
.more:  mov     [bp + F_BX], ebx
        mov     dword [bp + F_CX], 20
        mov     dword [bp + F_AX], 0x534D4150
        jmp     leave_ok

; AX = CX = KiB from 1 to 16 MiB, BX = DX = units of 64 KiB above.
.memory_e801:
        mov     eax, [cs:extended_kib]
        xor     ebx, ebx
        cmp     eax, 0x3C00
        jbe     .small
        mov     ebx, eax
        sub     ebx, 0x3C00
        shr     ebx, 6
        mov     ax, 0x3C00
.small: mov     [bp + F_AX], ax
        mov     [bp + F_CX], ax
        mov     [bp + F_BX], bx
        mov     [bp + F_DX], bx
        jmp     leave_ok
.memory_88:
        mov     eax, [cs:extended_kib]
        cmp     eax, 0xFC00
        jbe     .fits
        mov     ax, 0xFC00
.fits:  mov     [bp + F_AX], ax
        jmp     leave_ok

.a20:   mov     byte [bp + F_AX + 1], 0
        cmp     al, 1
        jbe     .set_a20
        cmp     al, 2
        je      .get_a20
        cmp     al, 3
        jne     leave_unsupported
        mov     word [bp + F_BX], 2     ; by port 0x92
        jmp     leave_ok
.set_a20:
        call    set_a20
        jmp     leave_ok
.get_a20:
        in      al, 0x92
        shr     al, 1
        and     al, 1
        mov     [bp + F_AX], al
        jmp     leave_ok

; CX:DX = microseconds: at least as many ticks of 54.9 ms.
.wait:  mov     ax, [bp + F_CX]
        shl     eax, 16
        mov     ax, [bp + F_DX]
        xor     edx, edx
        mov     ebx, 54925
        div     ebx
        inc     eax
        mov     ebx, [BDA_TICKS]
        sti
.until: hlt
        mov     ecx, [BDA_TICKS]
        sub     ecx, ebx
        jns     .today
        add     ecx, 0x1800B0
.today: cmp     ecx, eax
        jb      .until
        jmp     leave_ok

; CX words from the segment of descriptor 0x10 to that of descriptor 0x18 in the caller's table at ES:SI, which may lie above 1 MiB.
.block_move:
        cli
        mov     es, [bp + F_ES]
        mov     si, [bp + F_SI]
        movzx   eax, word [bp + F_ES]
        shl     eax, 4
        movzx   ebx, si
        add     eax, ebx
        mov     word [es:si + 8], 0x2F  ; descriptor 8 describes the table itself
        mov     [es:si + 10], eax
        mov     byte [es:si + 13], 0x93
        mov     dword [es:si + 0x20], 0x0000FFFF ; 0x20: our code
        mov     dword [es:si + 0x24], 0x00009B0F
        mov     dword [es:si + 0x28], 0x0000FFFF ; 0x28: a real-mode data segment, to go back through
        mov     dword [es:si + 0x2C], 0x00009300
        mov     cx, [bp + F_CX]
        lgdt    [es:si + 8]
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax
        jmp     0x20:.protected
.protected:
        mov     ax, 0x10
        mov     ds, ax
        mov     ax, 0x18
        mov     es, ax
        xor     si, si
        xor     di, di
        rep movsw
        mov     ax, 0x28
        mov     ds, ax
        mov     es, ax
        mov     eax, cr0
        and     al, 0xFE
        mov     cr0, eax
        jmp     BIOS_SEGMENT:.real
.real:  xor     ax, ax
        mov     ds, ax
        mov     byte [bp + F_AX + 1], 0
        jmp     leave_ok

.configuration:
        mov     word [bp + F_ES], BIOS_SEGMENT
        mov     word [bp + F_BX], configuration_table
        mov     byte [bp + F_AX + 1], 0
        jmp     leave_ok
.ebda:  mov     word [bp + F_ES], EBDA_SEGMENT
        jmp     leave_ok

; Length, model, submodel, revision; features: a second 8259, a real-time clock and an EBDA.
configuration_table:
        dw      8
        db      0xFC, 0x00, 0x01, 0x64, 0x00, 0x00, 0x00, 0x00

; A20 on when AL is 1, off when it is 0.
set_a20:
        push    ax
        mov     ah, al
        shl     ah, 1
        in      al, 0x92
        and     al, 0xFC                ; bit 0 would reset the machine
        or      al, ah
        out     0x92, al
        pop     ax
        ret

; ---------------------------------------------------------------------------------------------------------------------------------
; INT 16h: the keyboard.

service_keyboard:
        ENTER_SERVICE
        mov     ax, [bp + F_AX]
        and     ah, 0xEF                ; the calls for the enhanced keyboard are the same here
        jz      .read
        cmp     ah, 0x01
        je      .peek
        cmp     ah, 0x02
        je      .shifts
        cmp     ah, 0x05
        je      .store
        jmp     leave_service
.read:  cli
        mov     bx, [BDA_KEY_HEAD]
        cmp     bx, [BDA_KEY_TAIL]
        jne     .take
        sti
        hlt
        jmp     .read
.take:  mov     ax, [bx + 0x400]
        mov     [bp + F_AX], ax
        call    next_key
        mov     [BDA_KEY_HEAD], bx
        jmp     leave_service
.peek:  or      byte [bp + F_FLAGS], FLAG_Z
        mov     bx, [BDA_KEY_HEAD]
        cmp     bx, [BDA_KEY_TAIL]
        je      .nothing
        and     byte [bp + F_FLAGS], ~FLAG_Z
        mov     ax, [bx + 0x400]
        mov     [bp + F_AX], ax
        jmp     leave_service
; Polling loops are where a guest waits: let interrupts in, as they would come on a real machine.
.nothing:
        sti
        nop
        jmp     leave_service
.shifts:
        mov     al, [BDA_SHIFTS]
        mov     [bp + F_AX], al
        jmp     leave_service
.store: mov     ax, [bp + F_CX]
        call    put_key
        setc    al
        mov     [bp + F_AX], al
        jmp     leave_service

; ---------------------------------------------------------------------------------------------------------------------------------
; INT 18h, INT 19h: booting.

service_no_disk:
        mov     si, text_no_disk
stop:   call    print
        sti
.for_ever:
        hlt
        jmp     .for_ever

; The first sector of the first disk at 0:7C00, DL = its number, the stack below.
service_boot:
        cli
        xor     ax, ax
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     sp, 0x7000
        sti
        cmp     [BDA_DISK_COUNT], al
        je      service_no_disk
        mov     si, DISKS
        mov     di, 0x7C00
        mov     cx, 1
        xor     eax, eax
        mov     bl, 0x20
        call    transfer
        mov     si, text_unreadable
        jc      stop
        cmp     word [0x7DFE], 0xAA55
        mov     si, text_not_bootable
        jne     stop
        xor     ax, ax
        mov     es, ax
        xor     ebx, ebx
        xor     ecx, ecx
        xor     esi, esi
        xor     edi, edi
        xor     ebp, ebp
        mov     edx, 0x80
        jmp     0:0x7C00

text_no_disk:      db "minibios: there is no disk to boot from", 13, 10, 0
text_unreadable:   db "minibios: disk 0 cannot be read", 13, 10, 0
text_not_bootable: db "minibios: disk 0 has no boot sector (its last two bytes are not 55 AA)", 13, 10, 0

; ---------------------------------------------------------------------------------------------------------------------------------
; INT 1Ah: the clock.

service_clock:
        ENTER_SERVICE
        mov     ah, [bp + F_AX + 1]
        test    ah, ah
        jz      .get_ticks
        dec     ah
        jz      .set_ticks
        dec     ah
        jz      .time
        cmp     ah, 2
        je      .date
        or      byte [bp + F_FLAGS], FLAG_C
        jmp     leave_service
.get_ticks:
        mov     eax, [BDA_TICKS]
        mov     [bp + F_DX], ax
        shr     eax, 16
        mov     [bp + F_CX], ax
        mov     al, 0
        xchg    al, [BDA_MIDNIGHT]
        mov     [bp + F_AX], al
        jmp     leave_ok
.set_ticks:
        mov     ax, [bp + F_CX]
        shl     eax, 16
        mov     ax, [bp + F_DX]
        mov     [BDA_TICKS], eax
        jmp     leave_ok
; CH, CL, DH = hour, minute, second in BCD; DL = daylight saving.
.time:  mov     al, 4
        call    read_cmos
        mov     [bp + F_CX + 1], al
        mov     al, 2
        call    read_cmos
        mov     [bp + F_CX], al
        mov     al, 0
        call    read_cmos
        mov     [bp + F_DX + 1], al
        mov     byte [bp + F_DX], 0
        jmp     leave_ok
; CH, CL, DH, DL = century, year, month, day in BCD.
.date:  mov     al, 0x32
        call    read_cmos
        mov     [bp + F_CX + 1], al
        mov     al, 9
        call    read_cmos
        mov     [bp + F_CX], al
        mov     al, 8
        call    read_cmos
        mov     [bp + F_DX + 1], al
        mov     al, 7
        call    read_cmos
        mov     [bp + F_DX], al
        jmp     leave_ok

; ---------------------------------------------------------------------------------------------------------------------------------

                times 0x1FF0 - ($ - $$) db 0
reset:          jmp     BIOS_SEGMENT:post
                db      "01/01/26", 0, 0xFC, 0
