/* index_data.c -- the index of licence texts, and the words of some, embedded as they are in the
 * repository. */
__asm__(".section .rodata\n"
        ".balign 8\n"
        ".globl lq_license_index\n"
        ".hidden lq_license_index\n"
        "lq_license_index:\n"
        ".incbin \"libquant/license/index.bin\"\n"
        ".balign 8\n"
        ".globl lq_license_texts\n"
        ".hidden lq_license_texts\n"
        ".globl lq_license_texts_end\n"
        ".hidden lq_license_texts_end\n"
        "lq_license_texts:\n"
        ".incbin \"libquant/license/texts.bin\"\n"
        "lq_license_texts_end:\n"
        ".previous\n");
