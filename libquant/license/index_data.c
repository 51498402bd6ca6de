/* index_data.c -- the index of licence texts, embedded as it is in the repository. */
__asm__(".section .rodata\n"
        ".balign 8\n"
        ".globl lq_license_index\n"
        ".hidden lq_license_index\n"
        "lq_license_index:\n"
        ".incbin \"libquant/license/index.bin\"\n"
        ".previous\n");
