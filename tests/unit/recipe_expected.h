/* recipe_expected.h -- made by tests/interop/recipe_expected.py from what llama-quantize
 * --dry-run says. Do not edit. */

static const struct expected_model {
    const char *name, *arch;
    uint32_t layers, embd, ff, heads, kv, experts;
    bool fused, tied;
} expected_models[] = {
    {"grouped", "llama", 16, 512, 1024, 8, 2, 0, 0, 0},
    {"full-heads", "llama", 16, 512, 1024, 8, 8, 0, 0, 0},
    {"big", "llama", 80, 512, 1024, 8, 1, 0, 0, 0},
    {"experts", "llama", 16, 512, 1024, 8, 2, 8, 0, 0},
    {"four-experts", "llama", 16, 512, 1024, 8, 8, 4, 0, 0},
    {"falcon", "falcon", 32, 512, 1024, 8, 1, 0, 1, 0},
    {"fused", "phi2", 16, 512, 1024, 8, 8, 0, 1, 0},
    {"narrow", "llama", 16, 544, 1024, 8, 2, 0, 0, 1},
    {"odd", "llama", 16, 520, 1000, 8, 2, 0, 0, 0},
};

static const struct expected {
    const char *model, *mix;
    bool matrix;
    const char *types;
} expected[] = {
    {"grouped", "Q1_0", false,
     "output=Q6_K token_embd=Q1_0 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*Q"
     "1_0"},
    {"grouped", "Q2_0", false,
     "output=Q6_K token_embd=Q4_K attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*Q"
     "2_0"},
    {"grouped", "Q4_0", false,
     "output=Q6_K token_embd=Q4_0 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*Q"
     "4_0"},
    {"grouped", "Q4_0", true,
     "output=Q6_K token_embd=Q4_0 attn_k+attn_output+attn_q+attn_v+ffn_gate+ffn_up=16*Q4_0 ffn_d"
     "own=2*Q4_1,14*Q4_0"},
    {"grouped", "Q4_1", false,
     "output=Q6_K token_embd=Q4_1 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*Q"
     "4_1"},
    {"grouped", "MXFP4_MOE", false,
     "output+token_embd=Q8_0 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*Q8_0"},
    {"grouped", "Q5_0", false,
     "output=Q6_K token_embd=Q5_0 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*Q"
     "5_0"},
    {"grouped", "Q5_0", true,
     "output=Q6_K token_embd=Q5_0 attn_k+attn_output+attn_q+attn_v+ffn_gate+ffn_up=16*Q5_0 ffn_d"
     "own=2*Q5_1,14*Q5_0"},
    {"grouped", "Q5_1", false,
     "output=Q6_K token_embd=Q5_1 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*Q"
     "5_1"},
    {"grouped", "IQ2_XXS", false,
     "output=Q5_K token_embd=Q2_K attn_k+attn_output+attn_q+ffn_gate+ffn_up=16*IQ2_XXS attn_v=16"
     "*Q4_K ffn_down=2*Q2_K,14*IQ2_XXS"},
    {"grouped", "IQ2_XS", false,
     "output=Q5_K token_embd=Q2_K attn_k+attn_output+attn_q+ffn_gate+ffn_up=16*IQ2_XS attn_v=16*"
     "Q4_K ffn_down=2*Q2_K,14*IQ2_XS"},
    {"grouped", "IQ2_S", false,
     "output=Q5_K token_embd=IQ3_S attn_k+attn_q+ffn_gate+ffn_up=16*IQ2_XS attn_output=16*IQ3_S "
     "attn_v=16*Q4_K ffn_down=2*IQ3_S,14*IQ2_XS"},
    {"grouped", "IQ2_M", false,
     "output=Q5_K token_embd=IQ3_S attn_k+attn_q+ffn_gate+ffn_up=16*IQ2_S attn_output=16*IQ3_S a"
     "ttn_v=16*Q4_K ffn_down=2*IQ3_S,14*IQ2_S"},
    {"grouped", "IQ1_S", false,
     "output=Q5_K token_embd=Q2_K attn_k+attn_q+ffn_gate+ffn_up=16*IQ1_S attn_output=16*IQ2_XXS "
     "attn_v=16*Q4_K ffn_down=2*Q2_K,14*IQ1_S"},
    {"grouped", "IQ1_M", false,
     "output=Q5_K token_embd=Q2_K attn_k+attn_q+ffn_gate+ffn_up=16*IQ1_M attn_output=16*IQ2_XXS "
     "attn_v=16*Q4_K ffn_down=2*Q2_K,14*IQ1_M"},
    {"grouped", "TQ1_0", false,
     "output=Q6_K token_embd=Q4_K attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*T"
     "Q1_0"},
    {"grouped", "TQ2_0", false,
     "output=Q6_K token_embd=Q4_K attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*T"
     "Q2_0"},
    {"grouped", "Q2_K", false,
     "output=Q6_K token_embd=Q2_K attn_k+attn_q+ffn_gate+ffn_up=16*Q2_K attn_output+ffn_down=16*"
     "Q3_K attn_v=16*Q4_K"},
    {"grouped", "Q2_K_S", false,
     "output=Q6_K token_embd=Q2_K attn_k+attn_output+attn_q+ffn_gate+ffn_up=16*Q2_K attn_v=16*Q4"
     "_K ffn_down=2*Q4_K,14*Q2_K"},
    {"grouped", "IQ3_XXS", false,
     "output=Q5_K token_embd=IQ3_S attn_k+attn_q=16*IQ2_S attn_output=16*IQ3_S attn_v=16*Q4_K ff"
     "n_down=2*Q4_K,14*Q3_K ffn_gate+ffn_up=16*IQ3_XXS"},
    {"grouped", "IQ3_XXS", true,
     "output=Q5_K token_embd=IQ3_S attn_k+attn_q=16*IQ2_S attn_output=16*IQ3_S attn_v=16*Q4_K ff"
     "n_down+ffn_gate+ffn_up=16*IQ3_XXS"},
    {"grouped", "IQ3_S", false,
     "output=Q6_K token_embd=IQ3_S attn_k+attn_output+attn_q+ffn_down+ffn_gate+ffn_up=16*IQ3_S a"
     "ttn_v=16*Q4_K"},
    {"grouped", "IQ3_M", false,
     "output=Q6_K token_embd=IQ3_S attn_k+attn_q+ffn_gate+ffn_up=16*IQ3_S attn_output+attn_v=16*"
     "Q4_K ffn_down=2*Q4_K,14*IQ3_S"},
    {"grouped", "IQ3_XS", false,
     "output=Q6_K token_embd=IQ3_S attn_k+attn_q=16*IQ3_XXS attn_output+ffn_down=16*IQ3_S attn_v"
     "=16*Q4_K ffn_gate+ffn_up=2*IQ3_S,12*IQ3_XXS,2*IQ3_S"},
    {"grouped", "Q3_K_S", false,
     "output=Q6_K token_embd=Q3_K attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*Q"
     "3_K"},
    {"grouped", "Q3_K_M", false,
     "output=Q6_K token_embd=Q3_K attn_k+attn_q+ffn_gate+ffn_up=16*Q3_K attn_output=16*Q4_K attn"
     "_v=2*Q5_K,14*Q4_K ffn_down=Q5_K,15*Q4_K"},
    {"grouped", "Q3_K_L", false,
     "output=Q6_K token_embd=Q3_K attn_k+attn_q+ffn_gate+ffn_up=16*Q3_K attn_output+attn_v+ffn_d"
     "own=16*Q5_K"},
    {"grouped", "IQ4_NL", false,
     "output=Q6_K token_embd=IQ4_NL attn_k+attn_output+attn_q+ffn_gate+ffn_up=16*IQ4_NL attn_v=1"
     "6*Q5_K ffn_down=2*Q5_K,14*IQ4_NL"},
    {"grouped", "IQ4_NL", true,
     "output=Q6_K token_embd=IQ4_NL attn_k+attn_output+attn_q+ffn_down+ffn_gate+ffn_up=16*IQ4_NL"
     " attn_v=16*Q5_K"},
    {"grouped", "IQ4_XS", false,
     "output=Q6_K token_embd=IQ4_XS attn_k+attn_output+attn_q+ffn_gate+ffn_up=16*IQ4_XS attn_v=1"
     "6*Q5_K ffn_down=2*Q5_K,14*IQ4_XS"},
    {"grouped", "IQ4_XS", true,
     "output=Q6_K token_embd=IQ4_XS attn_k+attn_output+attn_q+ffn_down+ffn_gate+ffn_up=16*IQ4_XS"
     " attn_v=16*Q5_K"},
    {"grouped", "Q4_K_S", false,
     "output=Q6_K token_embd=Q4_K attn_k+attn_output+attn_q+ffn_gate+ffn_up=16*Q4_K attn_v=4*Q5_"
     "K,12*Q4_K ffn_down=2*Q5_K,14*Q4_K"},
    {"grouped", "Q4_K_M", false,
     "output=Q6_K token_embd=Q4_K attn_k+attn_output+attn_q+ffn_gate+ffn_up=16*Q4_K attn_v+ffn_d"
     "own=2*Q6_K,2*Q4_K,Q6_K,2*Q4_K,Q6_K,2*Q4_K,Q6_K,2*Q4_K,3*Q6_K"},
    {"grouped", "Q5_K_S", false,
     "output=Q6_K token_embd=Q5_K attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*Q"
     "5_K"},
    {"grouped", "Q5_K_M", false,
     "output=Q6_K token_embd=Q5_K attn_k+attn_output+attn_q+ffn_gate+ffn_up=16*Q5_K attn_v+ffn_d"
     "own=2*Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,3*Q6_K"},
    {"grouped", "Q6_K", false,
     "output+token_embd=Q6_K attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*Q6_K"},
    {"grouped", "Q8_0", false,
     "output+token_embd=Q8_0 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*Q8_0"},
    {"grouped", "F16", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F16"},
    {"grouped", "BF16", false,
     "output+token_embd=BF16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*BF16"},
    {"grouped", "F32", false,
     "output+token_embd=F32 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F32"},
    {"grouped", "COPY", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F16"},
    {"full-heads", "Q1_0", false,
     "output=Q6_K token_embd=Q1_0 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*Q"
     "1_0"},
    {"full-heads", "Q2_0", false,
     "output=Q6_K token_embd=Q4_K attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*Q"
     "2_0"},
    {"full-heads", "Q4_0", false,
     "output=Q6_K token_embd=Q4_0 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*Q"
     "4_0"},
    {"full-heads", "Q4_0", true,
     "output=Q6_K token_embd=Q4_0 attn_k+attn_output+attn_q+attn_v+ffn_gate+ffn_up=16*Q4_0 ffn_d"
     "own=2*Q4_1,14*Q4_0"},
    {"full-heads", "Q4_1", false,
     "output=Q6_K token_embd=Q4_1 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*Q"
     "4_1"},
    {"full-heads", "MXFP4_MOE", false,
     "output+token_embd=Q8_0 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*Q8_0"},
    {"full-heads", "Q5_0", false,
     "output=Q6_K token_embd=Q5_0 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*Q"
     "5_0"},
    {"full-heads", "Q5_0", true,
     "output=Q6_K token_embd=Q5_0 attn_k+attn_output+attn_q+attn_v+ffn_gate+ffn_up=16*Q5_0 ffn_d"
     "own=2*Q5_1,14*Q5_0"},
    {"full-heads", "Q5_1", false,
     "output=Q6_K token_embd=Q5_1 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*Q"
     "5_1"},
    {"full-heads", "IQ2_XXS", false,
     "output=Q5_K token_embd=Q2_K attn_k+attn_output+attn_q+ffn_gate+ffn_up=16*IQ2_XXS attn_v=16"
     "*Q2_K ffn_down=2*Q2_K,14*IQ2_XXS"},
    {"full-heads", "IQ2_XS", false,
     "output=Q5_K token_embd=Q2_K attn_k+attn_output+attn_q+ffn_gate+ffn_up=16*IQ2_XS attn_v=16*"
     "Q2_K ffn_down=2*Q2_K,14*IQ2_XS"},
    {"full-heads", "IQ2_S", false,
     "output=Q5_K token_embd=IQ3_S attn_k+attn_q+ffn_gate+ffn_up=16*IQ2_XS attn_output+attn_v=16"
     "*IQ3_S ffn_down=2*IQ3_S,14*IQ2_XS"},
    {"full-heads", "IQ2_M", false,
     "output=Q5_K token_embd=IQ3_S attn_k+attn_q+ffn_gate+ffn_up=16*IQ2_S attn_output+attn_v=16*"
     "IQ3_S ffn_down=2*IQ3_S,14*IQ2_S"},
    {"full-heads", "IQ1_S", false,
     "output=Q5_K token_embd=Q2_K attn_k+attn_q+ffn_gate+ffn_up=16*IQ1_S attn_output=16*IQ2_XXS "
     "attn_v=16*Q2_K ffn_down=2*Q2_K,14*IQ1_S"},
    {"full-heads", "IQ1_M", false,
     "output=Q5_K token_embd=Q2_K attn_k+attn_q+ffn_gate+ffn_up=16*IQ1_M attn_output=16*IQ2_XXS "
     "attn_v=16*Q2_K ffn_down=2*Q2_K,14*IQ1_M"},
    {"full-heads", "TQ1_0", false,
     "output=Q6_K token_embd=Q4_K attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*T"
     "Q1_0"},
    {"full-heads", "TQ2_0", false,
     "output=Q6_K token_embd=Q4_K attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*T"
     "Q2_0"},
    {"full-heads", "Q2_K", false,
     "output=Q6_K token_embd=Q2_K attn_k+attn_q+ffn_gate+ffn_up=16*Q2_K attn_output+attn_v+ffn_d"
     "own=16*Q3_K"},
    {"full-heads", "Q2_K_S", false,
     "output=Q6_K token_embd=Q2_K attn_k+attn_output+attn_q+attn_v+ffn_gate+ffn_up=16*Q2_K ffn_d"
     "own=2*Q4_K,14*Q2_K"},
    {"full-heads", "IQ3_XXS", false,
     "output=Q5_K token_embd=IQ3_S attn_k+attn_q=16*IQ2_S attn_output+attn_v=16*IQ3_S ffn_down=2"
     "*Q4_K,14*Q3_K ffn_gate+ffn_up=16*IQ3_XXS"},
    {"full-heads", "IQ3_XXS", true,
     "output=Q5_K token_embd=IQ3_S attn_k+attn_q=16*IQ2_S attn_output=16*IQ3_S attn_v+ffn_down+f"
     "fn_gate+ffn_up=16*IQ3_XXS"},
    {"full-heads", "IQ3_S", false,
     "output=Q6_K token_embd=IQ3_S attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*"
     "IQ3_S"},
    {"full-heads", "IQ3_M", false,
     "output=Q6_K token_embd=IQ3_S attn_k+attn_q+ffn_gate+ffn_up=16*IQ3_S attn_output+attn_v=16*"
     "Q4_K ffn_down=2*Q4_K,14*IQ3_S"},
    {"full-heads", "IQ3_XS", false,
     "output=Q6_K token_embd=IQ3_S attn_k+attn_q=16*IQ3_XXS attn_output+attn_v+ffn_down=16*IQ3_S"
     " ffn_gate+ffn_up=2*IQ3_S,12*IQ3_XXS,2*IQ3_S"},
    {"full-heads", "Q3_K_S", false,
     "output=Q6_K token_embd=Q3_K attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*Q"
     "3_K"},
    {"full-heads", "Q3_K_M", false,
     "output=Q6_K token_embd=Q3_K attn_k+attn_q+ffn_gate+ffn_up=16*Q3_K attn_output=16*Q4_K attn"
     "_v=2*Q5_K,14*Q4_K ffn_down=Q5_K,15*Q4_K"},
    {"full-heads", "Q3_K_L", false,
     "output=Q6_K token_embd=Q3_K attn_k+attn_q+ffn_gate+ffn_up=16*Q3_K attn_output+attn_v+ffn_d"
     "own=16*Q5_K"},
    {"full-heads", "IQ4_NL", false,
     "output=Q6_K token_embd=IQ4_NL attn_k+attn_output+attn_q+attn_v+ffn_gate+ffn_up=16*IQ4_NL f"
     "fn_down=2*Q5_K,14*IQ4_NL"},
    {"full-heads", "IQ4_NL", true,
     "output=Q6_K token_embd=IQ4_NL attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16"
     "*IQ4_NL"},
    {"full-heads", "IQ4_XS", false,
     "output=Q6_K token_embd=IQ4_XS attn_k+attn_output+attn_q+attn_v+ffn_gate+ffn_up=16*IQ4_XS f"
     "fn_down=2*Q5_K,14*IQ4_XS"},
    {"full-heads", "IQ4_XS", true,
     "output=Q6_K token_embd=IQ4_XS attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16"
     "*IQ4_XS"},
    {"full-heads", "Q4_K_S", false,
     "output=Q6_K token_embd=Q4_K attn_k+attn_output+attn_q+ffn_gate+ffn_up=16*Q4_K attn_v=4*Q5_"
     "K,12*Q4_K ffn_down=2*Q5_K,14*Q4_K"},
    {"full-heads", "Q4_K_M", false,
     "output=Q6_K token_embd=Q4_K attn_k+attn_output+attn_q+ffn_gate+ffn_up=16*Q4_K attn_v+ffn_d"
     "own=2*Q6_K,2*Q4_K,Q6_K,2*Q4_K,Q6_K,2*Q4_K,Q6_K,2*Q4_K,3*Q6_K"},
    {"full-heads", "Q5_K_S", false,
     "output=Q6_K token_embd=Q5_K attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*Q"
     "5_K"},
    {"full-heads", "Q5_K_M", false,
     "output=Q6_K token_embd=Q5_K attn_k+attn_output+attn_q+ffn_gate+ffn_up=16*Q5_K attn_v+ffn_d"
     "own=2*Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,3*Q6_K"},
    {"full-heads", "Q6_K", false,
     "output+token_embd=Q6_K attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*Q6_K"},
    {"full-heads", "Q8_0", false,
     "output+token_embd=Q8_0 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*Q8_0"},
    {"full-heads", "F16", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F16"},
    {"full-heads", "BF16", false,
     "output+token_embd=BF16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*BF16"},
    {"full-heads", "F32", false,
     "output+token_embd=F32 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F32"},
    {"full-heads", "COPY", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F16"},
    {"big", "Q1_0", false,
     "output=Q6_K token_embd=Q1_0 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=80*Q"
     "1_0"},
    {"big", "Q2_0", false,
     "output=Q6_K token_embd=Q4_K attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=80*Q"
     "2_0"},
    {"big", "Q4_0", false,
     "output=Q6_K token_embd=Q4_0 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=80*Q"
     "4_0"},
    {"big", "Q4_0", true,
     "output=Q6_K token_embd=Q4_0 attn_k+attn_output+attn_q+attn_v+ffn_gate+ffn_up=80*Q4_0 ffn_d"
     "own=10*Q4_1,70*Q4_0"},
    {"big", "Q4_1", false,
     "output=Q6_K token_embd=Q4_1 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=80*Q"
     "4_1"},
    {"big", "MXFP4_MOE", false,
     "output+token_embd=Q8_0 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=80*Q8_0"},
    {"big", "Q5_0", false,
     "output=Q6_K token_embd=Q5_0 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=80*Q"
     "5_0"},
    {"big", "Q5_0", true,
     "output=Q6_K token_embd=Q5_0 attn_k+attn_output+attn_q+attn_v+ffn_gate+ffn_up=80*Q5_0 ffn_d"
     "own=10*Q5_1,70*Q5_0"},
    {"big", "Q5_1", false,
     "output=Q6_K token_embd=Q5_1 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=80*Q"
     "5_1"},
    {"big", "IQ2_XXS", false,
     "output=Q5_K token_embd=Q2_K attn_k+attn_output+attn_q+ffn_gate+ffn_up=80*IQ2_XXS attn_v=80"
     "*Q4_K ffn_down=10*Q2_K,70*IQ2_XXS"},
    {"big", "IQ2_XS", false,
     "output=Q5_K token_embd=Q2_K attn_k+attn_output+attn_q+ffn_gate+ffn_up=80*IQ2_XS attn_v=80*"
     "Q4_K ffn_down=10*Q2_K,70*IQ2_XS"},
    {"big", "IQ2_S", false,
     "output=Q5_K token_embd=IQ3_S attn_k+attn_q+ffn_gate+ffn_up=80*IQ2_XS attn_output=80*IQ3_S "
     "attn_v=80*Q4_K ffn_down=10*IQ3_S,70*IQ2_XS"},
    {"big", "IQ2_M", false,
     "output=Q5_K token_embd=IQ3_S attn_k+attn_q+ffn_gate+ffn_up=80*IQ2_S attn_output=80*IQ3_S a"
     "ttn_v=80*Q4_K ffn_down=10*IQ3_S,70*IQ2_S"},
    {"big", "IQ1_S", false,
     "output=Q5_K token_embd=Q2_K attn_k+attn_q+ffn_gate+ffn_up=80*IQ1_S attn_output=80*IQ2_XXS "
     "attn_v=80*Q4_K ffn_down=10*Q2_K,70*IQ1_S"},
    {"big", "IQ1_M", false,
     "output=Q5_K token_embd=Q2_K attn_k+attn_q+ffn_gate+ffn_up=80*IQ1_M attn_output=80*IQ2_XXS "
     "attn_v=80*Q4_K ffn_down=10*Q2_K,70*IQ1_M"},
    {"big", "TQ1_0", false,
     "output=Q6_K token_embd=Q4_K attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=80*T"
     "Q1_0"},
    {"big", "TQ2_0", false,
     "output=Q6_K token_embd=Q4_K attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=80*T"
     "Q2_0"},
    {"big", "Q2_K", false,
     "output=Q6_K token_embd=Q2_K attn_k+attn_q+ffn_gate+ffn_up=80*Q2_K attn_output+ffn_down=80*"
     "Q3_K attn_v=80*Q5_K"},
    {"big", "Q2_K_S", false,
     "output=Q6_K token_embd=Q2_K attn_k+attn_output+attn_q+ffn_gate+ffn_up=80*Q2_K attn_v=80*Q5"
     "_K ffn_down=10*Q4_K,70*Q2_K"},
    {"big", "IQ3_XXS", false,
     "output=Q5_K token_embd=IQ3_S attn_k+attn_q=80*IQ2_S attn_output=80*IQ3_S attn_v=80*Q5_K ff"
     "n_down=10*Q4_K,70*Q3_K ffn_gate+ffn_up=80*IQ3_XXS"},
    {"big", "IQ3_XXS", true,
     "output=Q5_K token_embd=IQ3_S attn_k+attn_q=80*IQ2_S attn_output=80*IQ3_S attn_v=80*Q5_K ff"
     "n_down+ffn_gate+ffn_up=80*IQ3_XXS"},
    {"big", "IQ3_S", false,
     "output=Q6_K token_embd=IQ3_S attn_k+attn_output+attn_q+ffn_down+ffn_gate+ffn_up=80*IQ3_S a"
     "ttn_v=80*Q5_K"},
    {"big", "IQ3_M", false,
     "output=Q6_K token_embd=IQ3_S attn_k+attn_q+ffn_gate+ffn_up=80*IQ3_S attn_output=80*Q4_K at"
     "tn_v=80*Q5_K ffn_down=10*Q4_K,70*IQ3_S"},
    {"big", "IQ3_XS", false,
     "output=Q6_K token_embd=IQ3_S attn_k+attn_q=80*IQ3_XXS attn_output+ffn_down=80*IQ3_S attn_v"
     "=80*Q5_K ffn_gate+ffn_up=10*IQ3_S,60*IQ3_XXS,10*IQ3_S"},
    {"big", "Q3_K_S", false,
     "output=Q6_K token_embd=Q3_K attn_k+attn_output+attn_q+ffn_down+ffn_gate+ffn_up=80*Q3_K att"
     "n_v=80*Q5_K"},
    {"big", "Q3_K_M", false,
     "output=Q6_K token_embd=Q3_K attn_k+attn_q+ffn_gate+ffn_up=80*Q3_K attn_output=80*Q4_K attn"
     "_v=80*Q5_K ffn_down=5*Q5_K,75*Q4_K"},
    {"big", "Q3_K_L", false,
     "output=Q6_K token_embd=Q3_K attn_k+attn_q+ffn_gate+ffn_up=80*Q3_K attn_output+attn_v+ffn_d"
     "own=80*Q5_K"},
    {"big", "IQ4_NL", false,
     "output=Q6_K token_embd=IQ4_NL attn_k+attn_output+attn_q+ffn_gate+ffn_up=80*IQ4_NL attn_v=8"
     "0*Q5_K ffn_down=10*Q5_K,70*IQ4_NL"},
    {"big", "IQ4_NL", true,
     "output=Q6_K token_embd=IQ4_NL attn_k+attn_output+attn_q+ffn_down+ffn_gate+ffn_up=80*IQ4_NL"
     " attn_v=80*Q5_K"},
    {"big", "IQ4_XS", false,
     "output=Q6_K token_embd=IQ4_XS attn_k+attn_output+attn_q+ffn_gate+ffn_up=80*IQ4_XS attn_v=8"
     "0*Q5_K ffn_down=10*Q5_K,70*IQ4_XS"},
    {"big", "IQ4_XS", true,
     "output=Q6_K token_embd=IQ4_XS attn_k+attn_output+attn_q+ffn_down+ffn_gate+ffn_up=80*IQ4_XS"
     " attn_v=80*Q5_K"},
    {"big", "Q4_K_S", false,
     "output=Q6_K token_embd=Q4_K attn_k+attn_output+attn_q+ffn_gate+ffn_up=80*Q4_K attn_v=80*Q5"
     "_K ffn_down=10*Q5_K,70*Q4_K"},
    {"big", "Q4_K_M", false,
     "output=Q6_K token_embd=Q4_K attn_k+attn_output+attn_q+ffn_gate+ffn_up=80*Q4_K attn_v=10*Q6"
     "_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q"
     "5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6"
     "_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,11*Q6_K ffn_down=10*Q6_K,2*Q4_K,"
     "Q6_K,2*Q4_K,Q6_K,2*Q4_K,Q6_K,2*Q4_K,Q6_K,2*Q4_K,Q6_K,2*Q4_K,Q6_K,2*Q4_K,Q6_K,2*Q4_K,Q6_K,2"
     "*Q4_K,Q6_K,2*Q4_K,Q6_K,2*Q4_K,Q6_K,2*Q4_K,Q6_K,2*Q4_K,Q6_K,2*Q4_K,Q6_K,2*Q4_K,Q6_K,2*Q4_K,"
     "Q6_K,2*Q4_K,Q6_K,2*Q4_K,Q6_K,2*Q4_K,Q6_K,2*Q4_K,11*Q6_K"},
    {"big", "Q5_K_S", false,
     "output=Q6_K token_embd=Q5_K attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=80*Q"
     "5_K"},
    {"big", "Q5_K_M", false,
     "output=Q6_K token_embd=Q5_K attn_k+attn_output+attn_q+ffn_gate+ffn_up=80*Q5_K attn_v+ffn_d"
     "own=10*Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K"
     ",Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,"
     "2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,11*Q6_K"},
    {"big", "Q6_K", false,
     "output+token_embd=Q6_K attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=80*Q6_K"},
    {"big", "Q8_0", false,
     "output+token_embd=Q8_0 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=80*Q8_0"},
    {"big", "F16", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=80*F16"},
    {"big", "BF16", false,
     "output+token_embd=BF16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=80*BF16"},
    {"big", "F32", false,
     "output+token_embd=F32 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=80*F32"},
    {"big", "COPY", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=80*F16"},
    {"experts", "Q1_0", false,
     "output=Q6_K token_embd=Q1_0 attn_k+attn_v=16*Q8_0 attn_output+attn_q+ffn_down_exps+ffn_gat"
     "e_exps+ffn_up_exps=16*Q1_0"},
    {"experts", "Q2_0", false,
     "output=Q6_K token_embd=Q4_K attn_k+attn_v=16*Q8_0 attn_output+attn_q+ffn_down_exps+ffn_gat"
     "e_exps+ffn_up_exps=16*Q2_0"},
    {"experts", "Q4_0", false,
     "output=Q6_K token_embd=Q4_0 attn_k+attn_v=16*Q8_0 attn_output+attn_q+ffn_down_exps+ffn_gat"
     "e_exps+ffn_up_exps=16*Q4_0"},
    {"experts", "Q4_0", true,
     "output=Q6_K token_embd=Q4_0 attn_k+attn_v=16*Q8_0 attn_output+attn_q+ffn_gate_exps+ffn_up_"
     "exps=16*Q4_0 ffn_down_exps=2*Q4_1,14*Q4_0"},
    {"experts", "Q4_1", false,
     "output=Q6_K token_embd=Q4_1 attn_k+attn_v=16*Q8_0 attn_output+attn_q+ffn_down_exps+ffn_gat"
     "e_exps+ffn_up_exps=16*Q4_1"},
    {"experts", "MXFP4_MOE", false,
     "output+token_embd=Q8_0 attn_k+attn_output+attn_q+attn_v=16*Q8_0 ffn_down_exps+ffn_gate_exp"
     "s+ffn_up_exps=16*MXFP4"},
    {"experts", "Q5_0", false,
     "output=Q6_K token_embd=Q5_0 attn_k+attn_v=16*Q8_0 attn_output+attn_q+ffn_down_exps+ffn_gat"
     "e_exps+ffn_up_exps=16*Q5_0"},
    {"experts", "Q5_0", true,
     "output=Q6_K token_embd=Q5_0 attn_k+attn_v=16*Q8_0 attn_output+attn_q+ffn_gate_exps+ffn_up_"
     "exps=16*Q5_0 ffn_down_exps=2*Q5_1,14*Q5_0"},
    {"experts", "Q5_1", false,
     "output=Q6_K token_embd=Q5_1 attn_k+attn_v=16*Q8_0 attn_output+attn_q+ffn_down_exps+ffn_gat"
     "e_exps+ffn_up_exps=16*Q5_1"},
    {"experts", "IQ2_XXS", false,
     "output=Q5_K token_embd=Q2_K attn_k+attn_v=16*Q4_K attn_output=16*Q5_K attn_q+ffn_gate_exps"
     "+ffn_up_exps=16*IQ2_XXS ffn_down_exps=2*Q2_K,14*IQ2_XXS"},
    {"experts", "IQ2_XS", false,
     "output=Q5_K token_embd=Q2_K attn_k+attn_v=16*Q4_K attn_output=16*Q5_K attn_q+ffn_gate_exps"
     "+ffn_up_exps=16*IQ2_XS ffn_down_exps=2*Q2_K,14*IQ2_XS"},
    {"experts", "IQ2_S", false,
     "output=Q5_K token_embd=IQ3_S attn_k+attn_v=16*Q4_K attn_output=16*Q5_K attn_q+ffn_gate_exp"
     "s+ffn_up_exps=16*IQ2_XS ffn_down_exps=2*IQ3_S,14*IQ2_XS"},
    {"experts", "IQ2_M", false,
     "output=Q5_K token_embd=IQ3_S attn_k+attn_v=16*Q4_K attn_output=16*Q5_K attn_q+ffn_gate_exp"
     "s+ffn_up_exps=16*IQ2_S ffn_down_exps=2*IQ3_S,14*IQ2_S"},
    {"experts", "IQ1_S", false,
     "output=Q5_K token_embd=Q2_K attn_k+attn_v=16*Q4_K attn_output=16*Q5_K attn_q+ffn_gate_exps"
     "+ffn_up_exps=16*IQ1_S ffn_down_exps=2*Q2_K,14*IQ1_S"},
    {"experts", "IQ1_M", false,
     "output=Q5_K token_embd=Q2_K attn_k+attn_v=16*Q4_K attn_output=16*Q5_K attn_q+ffn_gate_exps"
     "+ffn_up_exps=16*IQ1_M ffn_down_exps=2*Q2_K,14*IQ1_M"},
    {"experts", "TQ1_0", false,
     "output=Q6_K token_embd=Q4_K attn_k+attn_v=16*Q8_0 attn_output+attn_q+ffn_down_exps+ffn_gat"
     "e_exps+ffn_up_exps=16*TQ1_0"},
    {"experts", "TQ2_0", false,
     "output=Q6_K token_embd=Q4_K attn_k+attn_v=16*Q8_0 attn_output+attn_q+ffn_down_exps+ffn_gat"
     "e_exps+ffn_up_exps=16*TQ2_0"},
    {"experts", "Q2_K", false,
     "output=Q6_K token_embd=Q2_K attn_k+attn_v=16*Q8_0 attn_output=16*Q5_K attn_q+ffn_gate_exps"
     "+ffn_up_exps=16*Q2_K ffn_down_exps=16*Q3_K"},
    {"experts", "Q2_K_S", false,
     "output=Q6_K token_embd=Q2_K attn_k+attn_v=16*Q8_0 attn_output+attn_q+ffn_gate_exps+ffn_up_"
     "exps=16*Q2_K ffn_down_exps=2*Q4_K,14*Q2_K"},
    {"experts", "IQ3_XXS", false,
     "output=Q5_K token_embd=IQ3_S attn_k+attn_v=16*Q8_0 attn_output=16*Q5_K attn_q=16*IQ2_S ffn"
     "_down_exps=2*Q4_K,14*Q3_K ffn_gate_exps+ffn_up_exps=16*IQ3_XXS"},
    {"experts", "IQ3_XXS", true,
     "output=Q5_K token_embd=IQ3_S attn_k+attn_v=16*Q8_0 attn_output=16*Q5_K attn_q=16*IQ2_S ffn"
     "_down_exps+ffn_gate_exps+ffn_up_exps=16*IQ3_XXS"},
    {"experts", "IQ3_S", false,
     "output=Q6_K token_embd=IQ3_S attn_k+attn_v=16*Q8_0 attn_output=16*Q5_K attn_q+ffn_down_exp"
     "s+ffn_gate_exps+ffn_up_exps=16*IQ3_S"},
    {"experts", "IQ3_M", false,
     "output=Q6_K token_embd=IQ3_S attn_k+attn_v=16*Q8_0 attn_output=16*Q5_K attn_q+ffn_gate_exp"
     "s+ffn_up_exps=16*IQ3_S ffn_down_exps=2*Q4_K,2*IQ3_S,Q4_K,2*IQ3_S,Q4_K,2*IQ3_S,Q4_K,2*IQ3_S"
     ",3*Q4_K"},
    {"experts", "IQ3_XS", false,
     "output=Q6_K token_embd=IQ3_S attn_k+attn_v=16*Q8_0 attn_output=16*Q5_K attn_q=16*IQ3_XXS f"
     "fn_down_exps=16*IQ3_S ffn_gate_exps+ffn_up_exps=2*IQ3_S,12*IQ3_XXS,2*IQ3_S"},
    {"experts", "Q3_K_S", false,
     "output=Q6_K token_embd=Q3_K attn_k+attn_v=16*Q8_0 attn_output=16*Q5_K attn_q+ffn_down_exps"
     "+ffn_gate_exps+ffn_up_exps=16*Q3_K"},
    {"experts", "Q3_K_M", false,
     "output=Q6_K token_embd=Q3_K attn_k+attn_v=16*Q8_0 attn_output=16*Q5_K attn_q+ffn_gate_exps"
     "+ffn_up_exps=16*Q3_K ffn_down_exps=Q5_K,15*Q4_K"},
    {"experts", "Q3_K_L", false,
     "output=Q6_K token_embd=Q3_K attn_k+attn_v=16*Q8_0 attn_output+attn_q+ffn_gate_exps+ffn_up_"
     "exps=16*Q3_K ffn_down_exps=16*Q5_K"},
    {"experts", "IQ4_NL", false,
     "output=Q6_K token_embd=IQ4_NL attn_k+attn_v=16*Q8_0 attn_output=16*Q5_K attn_q+ffn_gate_ex"
     "ps+ffn_up_exps=16*IQ4_NL ffn_down_exps=2*Q5_K,14*IQ4_NL"},
    {"experts", "IQ4_NL", true,
     "output=Q6_K token_embd=IQ4_NL attn_k+attn_v=16*Q8_0 attn_output=16*Q5_K attn_q+ffn_down_ex"
     "ps+ffn_gate_exps+ffn_up_exps=16*IQ4_NL"},
    {"experts", "IQ4_XS", false,
     "output=Q6_K token_embd=IQ4_XS attn_k+attn_v=16*Q8_0 attn_output=16*Q5_K attn_q+ffn_gate_ex"
     "ps+ffn_up_exps=16*IQ4_XS ffn_down_exps=2*Q5_K,14*IQ4_XS"},
    {"experts", "IQ4_XS", true,
     "output=Q6_K token_embd=IQ4_XS attn_k+attn_v=16*Q8_0 attn_output=16*Q5_K attn_q+ffn_down_ex"
     "ps+ffn_gate_exps+ffn_up_exps=16*IQ4_XS"},
    {"experts", "Q4_K_S", false,
     "output=Q6_K token_embd=Q4_K attn_k+attn_v=16*Q8_0 attn_output=16*Q5_K attn_q+ffn_gate_exps"
     "+ffn_up_exps=16*Q4_K ffn_down_exps=2*Q5_K,14*Q4_K"},
    {"experts", "Q4_K_M", false,
     "output=Q6_K token_embd=Q4_K attn_k+attn_v=16*Q8_0 attn_output=16*Q5_K attn_q+ffn_gate_exps"
     "+ffn_up_exps=16*Q4_K ffn_down_exps=2*Q6_K,2*Q4_K,Q6_K,2*Q4_K,Q6_K,2*Q4_K,Q6_K,2*Q4_K,3*Q6_"
     "K"},
    {"experts", "Q5_K_S", false,
     "output=Q6_K token_embd=Q5_K attn_k+attn_v=16*Q8_0 attn_output+attn_q+ffn_down_exps+ffn_gat"
     "e_exps+ffn_up_exps=16*Q5_K"},
    {"experts", "Q5_K_M", false,
     "output=Q6_K token_embd=Q5_K attn_k+attn_v=16*Q8_0 attn_output+attn_q+ffn_gate_exps+ffn_up_"
     "exps=16*Q5_K ffn_down_exps=2*Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,3*Q6_K"},
    {"experts", "Q6_K", false,
     "output+token_embd=Q6_K attn_k+attn_v=16*Q8_0 attn_output+attn_q+ffn_down_exps+ffn_gate_exp"
     "s+ffn_up_exps=16*Q6_K"},
    {"experts", "Q8_0", false,
     "output+token_embd=Q8_0 attn_k+attn_output+attn_q+attn_v+ffn_down_exps+ffn_gate_exps+ffn_up"
     "_exps=16*Q8_0"},
    {"experts", "F16", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down_exps+ffn_gate_exps+ffn_up_"
     "exps=16*F16"},
    {"experts", "BF16", false,
     "output+token_embd=BF16 attn_k+attn_output+attn_q+attn_v+ffn_down_exps+ffn_gate_exps+ffn_up"
     "_exps=16*BF16"},
    {"experts", "F32", false,
     "output+token_embd=F32 attn_k+attn_output+attn_q+attn_v+ffn_down_exps+ffn_gate_exps+ffn_up_"
     "exps=16*F32"},
    {"experts", "COPY", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down_exps+ffn_gate_exps+ffn_up_"
     "exps=16*F16"},
    {"four-experts", "Q1_0", false,
     "output=Q6_K token_embd=Q1_0 attn_k+attn_output+attn_q+attn_v+ffn_down_exps+ffn_gate_exps+f"
     "fn_up_exps=16*Q1_0"},
    {"four-experts", "Q2_0", false,
     "output=Q6_K token_embd=Q4_K attn_k+attn_output+attn_q+attn_v+ffn_down_exps+ffn_gate_exps+f"
     "fn_up_exps=16*Q2_0"},
    {"four-experts", "Q4_0", false,
     "output=Q6_K token_embd=Q4_0 attn_k+attn_output+attn_q+attn_v+ffn_down_exps+ffn_gate_exps+f"
     "fn_up_exps=16*Q4_0"},
    {"four-experts", "Q4_0", true,
     "output=Q6_K token_embd=Q4_0 attn_k+attn_output+attn_q+attn_v+ffn_gate_exps+ffn_up_exps=16*"
     "Q4_0 ffn_down_exps=2*Q4_1,14*Q4_0"},
    {"four-experts", "Q4_1", false,
     "output=Q6_K token_embd=Q4_1 attn_k+attn_output+attn_q+attn_v+ffn_down_exps+ffn_gate_exps+f"
     "fn_up_exps=16*Q4_1"},
    {"four-experts", "MXFP4_MOE", false,
     "output+token_embd=Q8_0 attn_k+attn_output+attn_q+attn_v=16*Q8_0 ffn_down_exps+ffn_gate_exp"
     "s+ffn_up_exps=16*MXFP4"},
    {"four-experts", "Q5_0", false,
     "output=Q6_K token_embd=Q5_0 attn_k+attn_output+attn_q+attn_v+ffn_down_exps+ffn_gate_exps+f"
     "fn_up_exps=16*Q5_0"},
    {"four-experts", "Q5_0", true,
     "output=Q6_K token_embd=Q5_0 attn_k+attn_output+attn_q+attn_v+ffn_gate_exps+ffn_up_exps=16*"
     "Q5_0 ffn_down_exps=2*Q5_1,14*Q5_0"},
    {"four-experts", "Q5_1", false,
     "output=Q6_K token_embd=Q5_1 attn_k+attn_output+attn_q+attn_v+ffn_down_exps+ffn_gate_exps+f"
     "fn_up_exps=16*Q5_1"},
    {"four-experts", "IQ2_XXS", false,
     "output=Q5_K token_embd=Q2_K attn_k+attn_output+attn_q+ffn_gate_exps+ffn_up_exps=16*IQ2_XXS"
     " attn_v=16*Q4_K ffn_down_exps=2*Q2_K,14*IQ2_XXS"},
    {"four-experts", "IQ2_XS", false,
     "output=Q5_K token_embd=Q2_K attn_k+attn_output+attn_q+ffn_gate_exps+ffn_up_exps=16*IQ2_XS "
     "attn_v=16*Q4_K ffn_down_exps=2*Q2_K,14*IQ2_XS"},
    {"four-experts", "IQ2_S", false,
     "output=Q5_K token_embd=IQ3_S attn_k+attn_q+ffn_gate_exps+ffn_up_exps=16*IQ2_XS attn_output"
     "=16*IQ3_S attn_v=16*Q4_K ffn_down_exps=2*IQ3_S,14*IQ2_XS"},
    {"four-experts", "IQ2_M", false,
     "output=Q5_K token_embd=IQ3_S attn_k+attn_q+ffn_gate_exps+ffn_up_exps=16*IQ2_S attn_output="
     "16*IQ3_S attn_v=16*Q4_K ffn_down_exps=2*IQ3_S,14*IQ2_S"},
    {"four-experts", "IQ1_S", false,
     "output=Q5_K token_embd=Q2_K attn_k+attn_q+ffn_gate_exps+ffn_up_exps=16*IQ1_S attn_output=1"
     "6*IQ2_XXS attn_v=16*Q4_K ffn_down_exps=2*Q2_K,14*IQ1_S"},
    {"four-experts", "IQ1_M", false,
     "output=Q5_K token_embd=Q2_K attn_k+attn_q+ffn_gate_exps+ffn_up_exps=16*IQ1_M attn_output=1"
     "6*IQ2_XXS attn_v=16*Q4_K ffn_down_exps=2*Q2_K,14*IQ1_M"},
    {"four-experts", "TQ1_0", false,
     "output=Q6_K token_embd=Q4_K attn_k+attn_output+attn_q+attn_v+ffn_down_exps+ffn_gate_exps+f"
     "fn_up_exps=16*TQ1_0"},
    {"four-experts", "TQ2_0", false,
     "output=Q6_K token_embd=Q4_K attn_k+attn_output+attn_q+attn_v+ffn_down_exps+ffn_gate_exps+f"
     "fn_up_exps=16*TQ2_0"},
    {"four-experts", "Q2_K", false,
     "output=Q6_K token_embd=Q2_K attn_k+attn_q+ffn_gate_exps+ffn_up_exps=16*Q2_K attn_output+at"
     "tn_v+ffn_down_exps=16*Q3_K"},
    {"four-experts", "Q2_K_S", false,
     "output=Q6_K token_embd=Q2_K attn_k+attn_output+attn_q+attn_v+ffn_gate_exps+ffn_up_exps=16*"
     "Q2_K ffn_down_exps=2*Q4_K,14*Q2_K"},
    {"four-experts", "IQ3_XXS", false,
     "output=Q5_K token_embd=IQ3_S attn_k+attn_q=16*IQ2_S attn_output+attn_v=16*IQ3_S ffn_down_e"
     "xps=2*Q4_K,14*Q3_K ffn_gate_exps+ffn_up_exps=16*IQ3_XXS"},
    {"four-experts", "IQ3_XXS", true,
     "output=Q5_K token_embd=IQ3_S attn_k+attn_q=16*IQ2_S attn_output=16*IQ3_S attn_v+ffn_down_e"
     "xps+ffn_gate_exps+ffn_up_exps=16*IQ3_XXS"},
    {"four-experts", "IQ3_S", false,
     "output=Q6_K token_embd=IQ3_S attn_k+attn_output+attn_q+attn_v+ffn_down_exps+ffn_gate_exps+"
     "ffn_up_exps=16*IQ3_S"},
    {"four-experts", "IQ3_M", false,
     "output=Q6_K token_embd=IQ3_S attn_k+attn_q+ffn_gate_exps+ffn_up_exps=16*IQ3_S attn_output+"
     "attn_v=16*Q4_K ffn_down_exps=2*Q4_K,14*IQ3_S"},
    {"four-experts", "IQ3_XS", false,
     "output=Q6_K token_embd=IQ3_S attn_k+attn_q=16*IQ3_XXS attn_output+attn_v+ffn_down_exps=16*"
     "IQ3_S ffn_gate_exps+ffn_up_exps=2*IQ3_S,12*IQ3_XXS,2*IQ3_S"},
    {"four-experts", "Q3_K_S", false,
     "output=Q6_K token_embd=Q3_K attn_k+attn_output+attn_q+attn_v+ffn_down_exps+ffn_gate_exps+f"
     "fn_up_exps=16*Q3_K"},
    {"four-experts", "Q3_K_M", false,
     "output=Q6_K token_embd=Q3_K attn_k+attn_q+ffn_gate_exps+ffn_up_exps=16*Q3_K attn_output=16"
     "*Q4_K attn_v=2*Q5_K,14*Q4_K ffn_down_exps=Q5_K,15*Q4_K"},
    {"four-experts", "Q3_K_L", false,
     "output=Q6_K token_embd=Q3_K attn_k+attn_q+ffn_gate_exps+ffn_up_exps=16*Q3_K attn_output+at"
     "tn_v+ffn_down_exps=16*Q5_K"},
    {"four-experts", "IQ4_NL", false,
     "output=Q6_K token_embd=IQ4_NL attn_k+attn_output+attn_q+attn_v+ffn_gate_exps+ffn_up_exps=1"
     "6*IQ4_NL ffn_down_exps=2*Q5_K,14*IQ4_NL"},
    {"four-experts", "IQ4_NL", true,
     "output=Q6_K token_embd=IQ4_NL attn_k+attn_output+attn_q+attn_v+ffn_down_exps+ffn_gate_exps"
     "+ffn_up_exps=16*IQ4_NL"},
    {"four-experts", "IQ4_XS", false,
     "output=Q6_K token_embd=IQ4_XS attn_k+attn_output+attn_q+attn_v+ffn_gate_exps+ffn_up_exps=1"
     "6*IQ4_XS ffn_down_exps=2*Q5_K,14*IQ4_XS"},
    {"four-experts", "IQ4_XS", true,
     "output=Q6_K token_embd=IQ4_XS attn_k+attn_output+attn_q+attn_v+ffn_down_exps+ffn_gate_exps"
     "+ffn_up_exps=16*IQ4_XS"},
    {"four-experts", "Q4_K_S", false,
     "output=Q6_K token_embd=Q4_K attn_k+attn_output+attn_q+ffn_gate_exps+ffn_up_exps=16*Q4_K at"
     "tn_v=4*Q5_K,12*Q4_K ffn_down_exps=2*Q5_K,14*Q4_K"},
    {"four-experts", "Q4_K_M", false,
     "output=Q6_K token_embd=Q4_K attn_k+attn_output+attn_q+ffn_gate_exps+ffn_up_exps=16*Q4_K at"
     "tn_v+ffn_down_exps=2*Q6_K,2*Q4_K,Q6_K,2*Q4_K,Q6_K,2*Q4_K,Q6_K,2*Q4_K,3*Q6_K"},
    {"four-experts", "Q5_K_S", false,
     "output=Q6_K token_embd=Q5_K attn_k+attn_output+attn_q+attn_v+ffn_down_exps+ffn_gate_exps+f"
     "fn_up_exps=16*Q5_K"},
    {"four-experts", "Q5_K_M", false,
     "output=Q6_K token_embd=Q5_K attn_k+attn_output+attn_q+ffn_gate_exps+ffn_up_exps=16*Q5_K at"
     "tn_v+ffn_down_exps=2*Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,3*Q6_K"},
    {"four-experts", "Q6_K", false,
     "output+token_embd=Q6_K attn_k+attn_output+attn_q+attn_v+ffn_down_exps+ffn_gate_exps+ffn_up"
     "_exps=16*Q6_K"},
    {"four-experts", "Q8_0", false,
     "output+token_embd=Q8_0 attn_k+attn_output+attn_q+attn_v+ffn_down_exps+ffn_gate_exps+ffn_up"
     "_exps=16*Q8_0"},
    {"four-experts", "F16", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down_exps+ffn_gate_exps+ffn_up_"
     "exps=16*F16"},
    {"four-experts", "BF16", false,
     "output+token_embd=BF16 attn_k+attn_output+attn_q+attn_v+ffn_down_exps+ffn_gate_exps+ffn_up"
     "_exps=16*BF16"},
    {"four-experts", "F32", false,
     "output+token_embd=F32 attn_k+attn_output+attn_q+attn_v+ffn_down_exps+ffn_gate_exps+ffn_up_"
     "exps=16*F32"},
    {"four-experts", "COPY", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down_exps+ffn_gate_exps+ffn_up_"
     "exps=16*F16"},
    {"falcon", "Q1_0", false,
     "output=Q8_0 token_embd=Q1_0 attn_output+attn_qkv+ffn_down+ffn_up=32*Q1_0"},
    {"falcon", "Q2_0", false,
     "output=Q8_0 token_embd=Q4_K attn_output+attn_qkv+ffn_down+ffn_up=32*Q2_0"},
    {"falcon", "Q4_0", false,
     "output=Q8_0 token_embd=Q4_0 attn_output+attn_qkv+ffn_down+ffn_up=32*Q4_0"},
    {"falcon", "Q4_0", true,
     "output=Q8_0 token_embd=Q4_0 attn_output+attn_qkv+ffn_up=32*Q4_0 ffn_down=4*Q4_1,28*Q4_0"},
    {"falcon", "Q4_1", false,
     "output=Q8_0 token_embd=Q4_1 attn_output+attn_qkv+ffn_down+ffn_up=32*Q4_1"},
    {"falcon", "MXFP4_MOE", false,
     "output+token_embd=Q8_0 attn_output+attn_qkv+ffn_down+ffn_up=32*Q8_0"},
    {"falcon", "Q5_0", false,
     "output=Q8_0 token_embd=Q5_0 attn_output+attn_qkv+ffn_down+ffn_up=32*Q5_0"},
    {"falcon", "Q5_0", true,
     "output=Q8_0 token_embd=Q5_0 attn_output+attn_qkv+ffn_up=32*Q5_0 ffn_down=4*Q5_1,28*Q5_0"},
    {"falcon", "Q5_1", false,
     "output=Q8_0 token_embd=Q5_1 attn_output+attn_qkv+ffn_down+ffn_up=32*Q5_1"},
    {"falcon", "IQ2_XXS", false,
     "output=Q8_0 token_embd=Q2_K attn_output+ffn_up=32*IQ2_XXS attn_qkv=32*Q4_K ffn_down=4*Q2_K"
     ",28*IQ2_XXS"},
    {"falcon", "IQ2_XS", false,
     "output=Q8_0 token_embd=Q2_K attn_output+ffn_up=32*IQ2_XS attn_qkv=32*Q4_K ffn_down=4*Q2_K,"
     "28*IQ2_XS"},
    {"falcon", "IQ2_S", false,
     "output=Q8_0 token_embd=IQ3_S attn_output=32*IQ3_S attn_qkv=32*Q4_K ffn_down=4*IQ3_S,28*IQ2"
     "_XS ffn_up=32*IQ2_XS"},
    {"falcon", "IQ2_M", false,
     "output=Q8_0 token_embd=IQ3_S attn_output=32*IQ3_S attn_qkv=32*Q4_K ffn_down=4*IQ3_S,28*IQ2"
     "_S ffn_up=32*IQ2_S"},
    {"falcon", "IQ1_S", false,
     "output=Q8_0 token_embd=Q2_K attn_output=32*IQ2_XXS attn_qkv=32*Q4_K ffn_down=4*Q2_K,28*IQ1"
     "_S ffn_up=32*IQ1_S"},
    {"falcon", "IQ1_M", false,
     "output=Q8_0 token_embd=Q2_K attn_output=32*IQ2_XXS attn_qkv=32*Q4_K ffn_down=4*Q2_K,28*IQ1"
     "_M ffn_up=32*IQ1_M"},
    {"falcon", "TQ1_0", false,
     "output=Q8_0 token_embd=Q4_K attn_output+attn_qkv+ffn_down+ffn_up=32*TQ1_0"},
    {"falcon", "TQ2_0", false,
     "output=Q8_0 token_embd=Q4_K attn_output+attn_qkv+ffn_down+ffn_up=32*TQ2_0"},
    {"falcon", "Q2_K", false,
     "output=Q8_0 token_embd=Q2_K attn_output+ffn_up=32*Q2_K attn_qkv=32*Q4_K ffn_down=32*Q3_K"},
    {"falcon", "Q2_K_S", false,
     "output=Q8_0 token_embd=Q2_K attn_output+ffn_up=32*Q2_K attn_qkv=32*Q4_K ffn_down=4*Q4_K,28"
     "*Q2_K"},
    {"falcon", "IQ3_XXS", false,
     "output=Q8_0 token_embd=IQ3_S attn_output+ffn_up=32*IQ3_XXS attn_qkv=32*Q4_K ffn_down=4*Q4_"
     "K,28*Q3_K"},
    {"falcon", "IQ3_XXS", true,
     "output=Q8_0 token_embd=IQ3_S attn_output+ffn_down+ffn_up=32*IQ3_XXS attn_qkv=32*Q4_K"},
    {"falcon", "IQ3_S", false,
     "output=Q8_0 token_embd=IQ3_S attn_output+ffn_down+ffn_up=32*IQ3_S attn_qkv=32*Q4_K"},
    {"falcon", "IQ3_M", false,
     "output=Q8_0 token_embd=IQ3_S attn_output+ffn_up=32*IQ3_S attn_qkv=32*Q4_K ffn_down=4*Q4_K,"
     "28*IQ3_S"},
    {"falcon", "IQ3_XS", false,
     "output=Q8_0 token_embd=IQ3_S attn_output+ffn_down=32*IQ3_S attn_qkv=32*Q4_K ffn_up=4*IQ3_S"
     ",24*IQ3_XXS,4*IQ3_S"},
    {"falcon", "Q3_K_S", false,
     "output=Q8_0 token_embd=Q3_K attn_output+attn_qkv+ffn_down+ffn_up=32*Q3_K"},
    {"falcon", "Q3_K_M", false,
     "output=Q8_0 token_embd=Q3_K attn_output+ffn_up=32*Q3_K attn_qkv=2*Q5_K,30*Q4_K ffn_down=2*"
     "Q5_K,2*Q4_K,2*Q3_K,Q4_K,2*Q3_K,Q4_K,2*Q3_K,Q4_K,2*Q3_K,Q4_K,2*Q3_K,Q4_K,2*Q3_K,Q4_K,2*Q3_K"
     ",Q4_K,2*Q3_K,5*Q4_K"},
    {"falcon", "Q3_K_L", false,
     "output=Q8_0 token_embd=Q3_K attn_output+ffn_down=32*Q4_K attn_qkv=32*Q5_K ffn_up=32*Q3_K"},
    {"falcon", "IQ4_NL", false,
     "output=Q8_0 token_embd=IQ4_NL attn_output+ffn_up=32*IQ4_NL attn_qkv=32*Q5_K ffn_down=4*Q5_"
     "K,28*IQ4_NL"},
    {"falcon", "IQ4_NL", true,
     "output=Q8_0 token_embd=IQ4_NL attn_output+ffn_down+ffn_up=32*IQ4_NL attn_qkv=32*Q5_K"},
    {"falcon", "IQ4_XS", false,
     "output=Q8_0 token_embd=IQ4_XS attn_output+ffn_up=32*IQ4_XS attn_qkv=32*Q5_K ffn_down=4*Q5_"
     "K,28*IQ4_XS"},
    {"falcon", "IQ4_XS", true,
     "output=Q8_0 token_embd=IQ4_XS attn_output+ffn_down+ffn_up=32*IQ4_XS attn_qkv=32*Q5_K"},
    {"falcon", "Q4_K_S", false,
     "output=Q8_0 token_embd=Q4_K attn_output+ffn_down+ffn_up=32*Q4_K attn_qkv=4*Q5_K,28*Q4_K"},
    {"falcon", "Q4_K_M", false,
     "output=Q8_0 token_embd=Q4_K attn_output+ffn_up=32*Q4_K attn_qkv=4*Q6_K,2*Q4_K,Q6_K,2*Q4_K,"
     "Q6_K,2*Q4_K,Q6_K,2*Q4_K,Q6_K,2*Q4_K,Q6_K,2*Q4_K,Q6_K,2*Q4_K,Q6_K,2*Q4_K,5*Q6_K ffn_down=2*"
     "Q6_K,2*Q5_K,2*Q4_K,Q5_K,2*Q4_K,Q5_K,2*Q4_K,Q5_K,2*Q4_K,Q5_K,2*Q4_K,Q5_K,2*Q4_K,Q5_K,2*Q4_K"
     ",Q5_K,2*Q4_K,5*Q5_K"},
    {"falcon", "Q5_K_S", false,
     "output=Q8_0 token_embd=Q5_K attn_output+attn_qkv+ffn_down+ffn_up=32*Q5_K"},
    {"falcon", "Q5_K_M", false,
     "output=Q8_0 token_embd=Q5_K attn_output+ffn_up=32*Q5_K attn_qkv+ffn_down=4*Q6_K,2*Q5_K,Q6_"
     "K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,5*Q6_K"},
    {"falcon", "Q6_K", false,
     "output=Q8_0 token_embd=Q6_K attn_output+attn_qkv+ffn_down+ffn_up=32*Q6_K"},
    {"falcon", "Q8_0", false,
     "output+token_embd=Q8_0 attn_output+attn_qkv+ffn_down+ffn_up=32*Q8_0"},
    {"falcon", "F16", false,
     "output+token_embd=F16 attn_output+attn_qkv+ffn_down+ffn_up=32*F16"},
    {"falcon", "BF16", false,
     "output+token_embd=BF16 attn_output+attn_qkv+ffn_down+ffn_up=32*BF16"},
    {"falcon", "F32", false,
     "output+token_embd=F32 attn_output+attn_qkv+ffn_down+ffn_up=32*F32"},
    {"falcon", "COPY", false,
     "output+token_embd=F16 attn_output+attn_qkv+ffn_down+ffn_up=32*F16"},
    {"fused", "Q1_0", false,
     "output=Q6_K token_embd=Q1_0 attn_output+attn_qkv+ffn_down+ffn_up=16*Q1_0"},
    {"fused", "Q2_0", false,
     "output=Q6_K token_embd=Q4_K attn_output+attn_qkv+ffn_down+ffn_up=16*Q2_0"},
    {"fused", "Q4_0", false,
     "output=Q6_K token_embd=Q4_0 attn_output+attn_qkv+ffn_down+ffn_up=16*Q4_0"},
    {"fused", "Q4_0", true,
     "output=Q6_K token_embd=Q4_0 attn_output+attn_qkv+ffn_up=16*Q4_0 ffn_down=2*Q4_1,14*Q4_0"},
    {"fused", "Q4_1", false,
     "output=Q6_K token_embd=Q4_1 attn_output+attn_qkv+ffn_down+ffn_up=16*Q4_1"},
    {"fused", "MXFP4_MOE", false,
     "output+token_embd=Q8_0 attn_output+attn_qkv+ffn_down+ffn_up=16*Q8_0"},
    {"fused", "Q5_0", false,
     "output=Q6_K token_embd=Q5_0 attn_output+attn_qkv+ffn_down+ffn_up=16*Q5_0"},
    {"fused", "Q5_0", true,
     "output=Q6_K token_embd=Q5_0 attn_output+attn_qkv+ffn_up=16*Q5_0 ffn_down=2*Q5_1,14*Q5_0"},
    {"fused", "Q5_1", false,
     "output=Q6_K token_embd=Q5_1 attn_output+attn_qkv+ffn_down+ffn_up=16*Q5_1"},
    {"fused", "IQ2_XXS", false,
     "output=Q5_K token_embd=Q2_K attn_output+ffn_up=16*IQ2_XXS attn_qkv=16*Q2_K ffn_down=2*Q2_K"
     ",14*IQ2_XXS"},
    {"fused", "IQ2_XS", false,
     "output=Q5_K token_embd=Q2_K attn_output+ffn_up=16*IQ2_XS attn_qkv=16*Q2_K ffn_down=2*Q2_K,"
     "14*IQ2_XS"},
    {"fused", "IQ2_S", false,
     "output=Q5_K token_embd=IQ3_S attn_output+attn_qkv=16*IQ3_S ffn_down=2*IQ3_S,14*IQ2_XS ffn_"
     "up=16*IQ2_XS"},
    {"fused", "IQ2_M", false,
     "output=Q5_K token_embd=IQ3_S attn_output+attn_qkv=16*IQ3_S ffn_down=2*IQ3_S,14*IQ2_S ffn_u"
     "p=16*IQ2_S"},
    {"fused", "IQ1_S", false,
     "output=Q5_K token_embd=Q2_K attn_output=16*IQ2_XXS attn_qkv=16*Q2_K ffn_down=2*Q2_K,14*IQ1"
     "_S ffn_up=16*IQ1_S"},
    {"fused", "IQ1_M", false,
     "output=Q5_K token_embd=Q2_K attn_output=16*IQ2_XXS attn_qkv=16*Q2_K ffn_down=2*Q2_K,14*IQ1"
     "_M ffn_up=16*IQ1_M"},
    {"fused", "TQ1_0", false,
     "output=Q6_K token_embd=Q4_K attn_output+attn_qkv+ffn_down+ffn_up=16*TQ1_0"},
    {"fused", "TQ2_0", false,
     "output=Q6_K token_embd=Q4_K attn_output+attn_qkv+ffn_down+ffn_up=16*TQ2_0"},
    {"fused", "Q2_K", false,
     "output=Q6_K token_embd=Q2_K attn_output+attn_qkv+ffn_down=16*Q3_K ffn_up=16*Q2_K"},
    {"fused", "Q2_K_S", false,
     "output=Q6_K token_embd=Q2_K attn_output+attn_qkv+ffn_up=16*Q2_K ffn_down=2*Q4_K,14*Q2_K"},
    {"fused", "IQ3_XXS", false,
     "output=Q5_K token_embd=IQ3_S attn_output+attn_qkv=16*IQ3_S ffn_down=2*Q4_K,14*Q3_K ffn_up="
     "16*IQ3_XXS"},
    {"fused", "IQ3_XXS", true,
     "output=Q5_K token_embd=IQ3_S attn_output=16*IQ3_S attn_qkv+ffn_down+ffn_up=16*IQ3_XXS"},
    {"fused", "IQ3_S", false,
     "output=Q6_K token_embd=IQ3_S attn_output+attn_qkv+ffn_down+ffn_up=16*IQ3_S"},
    {"fused", "IQ3_M", false,
     "output=Q6_K token_embd=IQ3_S attn_output+attn_qkv=16*Q4_K ffn_down=2*Q4_K,14*IQ3_S ffn_up="
     "16*IQ3_S"},
    {"fused", "IQ3_XS", false,
     "output=Q6_K token_embd=IQ3_S attn_output+attn_qkv+ffn_down=16*IQ3_S ffn_up=2*IQ3_S,12*IQ3_"
     "XXS,2*IQ3_S"},
    {"fused", "Q3_K_S", false,
     "output=Q6_K token_embd=Q3_K attn_output+attn_qkv+ffn_down+ffn_up=16*Q3_K"},
    {"fused", "Q3_K_M", false,
     "output=Q6_K token_embd=Q3_K attn_output=16*Q4_K attn_qkv=2*Q5_K,14*Q4_K ffn_down=Q5_K,15*Q"
     "4_K ffn_up=16*Q3_K"},
    {"fused", "Q3_K_L", false,
     "output=Q6_K token_embd=Q3_K attn_output+attn_qkv+ffn_down=16*Q5_K ffn_up=16*Q3_K"},
    {"fused", "IQ4_NL", false,
     "output=Q6_K token_embd=IQ4_NL attn_output+attn_qkv+ffn_up=16*IQ4_NL ffn_down=2*Q5_K,14*IQ4"
     "_NL"},
    {"fused", "IQ4_NL", true,
     "output=Q6_K token_embd=IQ4_NL attn_output+attn_qkv+ffn_down+ffn_up=16*IQ4_NL"},
    {"fused", "IQ4_XS", false,
     "output=Q6_K token_embd=IQ4_XS attn_output+attn_qkv+ffn_up=16*IQ4_XS ffn_down=2*Q5_K,14*IQ4"
     "_XS"},
    {"fused", "IQ4_XS", true,
     "output=Q6_K token_embd=IQ4_XS attn_output+attn_qkv+ffn_down+ffn_up=16*IQ4_XS"},
    {"fused", "Q4_K_S", false,
     "output=Q6_K token_embd=Q4_K attn_output+ffn_up=16*Q4_K attn_qkv=4*Q5_K,12*Q4_K ffn_down=2*"
     "Q5_K,14*Q4_K"},
    {"fused", "Q4_K_M", false,
     "output=Q6_K token_embd=Q4_K attn_output+ffn_up=16*Q4_K attn_qkv+ffn_down=2*Q6_K,2*Q4_K,Q6_"
     "K,2*Q4_K,Q6_K,2*Q4_K,Q6_K,2*Q4_K,3*Q6_K"},
    {"fused", "Q5_K_S", false,
     "output=Q6_K token_embd=Q5_K attn_output+attn_qkv+ffn_down+ffn_up=16*Q5_K"},
    {"fused", "Q5_K_M", false,
     "output=Q6_K token_embd=Q5_K attn_output+ffn_up=16*Q5_K attn_qkv+ffn_down=2*Q6_K,2*Q5_K,Q6_"
     "K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,3*Q6_K"},
    {"fused", "Q6_K", false,
     "output+token_embd=Q6_K attn_output+attn_qkv+ffn_down+ffn_up=16*Q6_K"},
    {"fused", "Q8_0", false,
     "output+token_embd=Q8_0 attn_output+attn_qkv+ffn_down+ffn_up=16*Q8_0"},
    {"fused", "F16", false,
     "output+token_embd=F16 attn_output+attn_qkv+ffn_down+ffn_up=16*F16"},
    {"fused", "BF16", false,
     "output+token_embd=BF16 attn_output+attn_qkv+ffn_down+ffn_up=16*BF16"},
    {"fused", "F32", false,
     "output+token_embd=F32 attn_output+attn_qkv+ffn_down+ffn_up=16*F32"},
    {"fused", "COPY", false,
     "output+token_embd=F16 attn_output+attn_qkv+ffn_down+ffn_up=16*F16"},
    {"narrow", "Q2_0", false,
     "token_embd=Q8_0 attn_k+attn_output+attn_q+attn_v+ffn_gate+ffn_up=16*Q4_0 ffn_down=16*Q2_0"},
    {"narrow", "Q4_0", false,
     "token_embd=Q8_0 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*Q4_0"},
    {"narrow", "Q4_0", true,
     "token_embd=Q8_0 attn_k+attn_output+attn_q+attn_v+ffn_gate+ffn_up=16*Q4_0 ffn_down=2*Q4_1,1"
     "4*Q4_0"},
    {"narrow", "Q4_1", false,
     "token_embd=Q8_0 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*Q4_1"},
    {"narrow", "MXFP4_MOE", false,
     "token_embd=Q8_0 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*Q8_0"},
    {"narrow", "Q5_0", false,
     "token_embd=Q8_0 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*Q5_0"},
    {"narrow", "Q5_0", true,
     "token_embd=Q8_0 attn_k+attn_output+attn_q+attn_v+ffn_gate+ffn_up=16*Q5_0 ffn_down=2*Q5_1,1"
     "4*Q5_0"},
    {"narrow", "Q5_1", false,
     "token_embd=Q8_0 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*Q5_1"},
    {"narrow", "IQ2_XXS", false,
     "token_embd=Q8_0 attn_k+attn_output+attn_q+ffn_gate+ffn_up=16*IQ4_NL attn_v=16*Q5_0 ffn_dow"
     "n=2*Q2_K,14*IQ2_XXS"},
    {"narrow", "IQ2_XS", false,
     "token_embd=Q8_0 attn_k+attn_output+attn_q+ffn_gate+ffn_up=16*IQ4_NL attn_v=16*Q5_0 ffn_dow"
     "n=2*Q2_K,14*IQ2_XS"},
    {"narrow", "IQ2_S", false,
     "token_embd=Q8_0 attn_k+attn_output+attn_q+ffn_gate+ffn_up=16*IQ4_NL attn_v=16*Q5_0 ffn_dow"
     "n=2*IQ3_S,14*IQ2_XS"},
    {"narrow", "IQ2_M", false,
     "token_embd=Q8_0 attn_k+attn_output+attn_q+ffn_gate+ffn_up=16*IQ4_NL attn_v=16*Q5_0 ffn_dow"
     "n=2*IQ3_S,14*IQ2_S"},
    {"narrow", "IQ1_S", false,
     "token_embd=Q8_0 attn_k+attn_output+attn_q+ffn_gate+ffn_up=16*IQ4_NL attn_v=16*Q5_0 ffn_dow"
     "n=2*Q2_K,14*IQ1_S"},
    {"narrow", "IQ1_M", false,
     "token_embd=Q8_0 attn_k+attn_output+attn_q+ffn_gate+ffn_up=16*IQ4_NL attn_v=16*Q5_0 ffn_dow"
     "n=2*Q2_K,14*IQ1_M"},
    {"narrow", "TQ1_0", false,
     "token_embd=Q8_0 attn_k+attn_output+attn_q+attn_v+ffn_gate+ffn_up=16*Q4_0 ffn_down=16*TQ1_0"},
    {"narrow", "TQ2_0", false,
     "token_embd=Q8_0 attn_k+attn_output+attn_q+attn_v+ffn_gate+ffn_up=16*Q4_0 ffn_down=16*TQ2_0"},
    {"narrow", "Q2_K", false,
     "token_embd=Q8_0 attn_k+attn_output+attn_q+ffn_gate+ffn_up=16*Q4_0 attn_v=16*Q5_0 ffn_down="
     "16*Q3_K"},
    {"narrow", "Q2_K_S", false,
     "token_embd=Q8_0 attn_k+attn_output+attn_q+ffn_gate+ffn_up=16*Q4_0 attn_v=16*Q5_0 ffn_down="
     "2*Q4_K,14*Q2_K"},
    {"narrow", "IQ3_XXS", false,
     "token_embd=Q8_0 attn_k+attn_output+attn_q+ffn_gate+ffn_up=16*IQ4_NL attn_v=16*Q5_0 ffn_dow"
     "n=2*Q4_K,14*Q3_K"},
    {"narrow", "IQ3_XXS", true,
     "token_embd=Q8_0 attn_k+attn_output+attn_q+ffn_gate+ffn_up=16*IQ4_NL attn_v=16*Q5_0 ffn_dow"
     "n=16*IQ3_XXS"},
    {"narrow", "IQ3_S", false,
     "token_embd=Q8_0 attn_k+attn_output+attn_q+ffn_gate+ffn_up=16*IQ4_NL attn_v=16*Q5_0 ffn_dow"
     "n=16*IQ3_S"},
    {"narrow", "IQ3_M", false,
     "token_embd=Q8_0 attn_k+attn_q+ffn_gate+ffn_up=16*IQ4_NL attn_output+attn_v=16*Q5_0 ffn_dow"
     "n=2*Q4_K,14*IQ3_S"},
    {"narrow", "IQ3_XS", false,
     "token_embd=Q8_0 attn_k+attn_output+attn_q+ffn_gate+ffn_up=16*IQ4_NL attn_v=16*Q5_0 ffn_dow"
     "n=16*IQ3_S"},
    {"narrow", "Q3_K_S", false,
     "token_embd=Q8_0 attn_k+attn_output+attn_q+attn_v+ffn_gate+ffn_up=16*Q4_0 ffn_down=16*Q3_K"},
    {"narrow", "Q3_K_M", false,
     "token_embd=Q8_0 attn_k+attn_q+ffn_gate+ffn_up=16*Q4_0 attn_output=16*Q5_0 attn_v=2*Q5_1,14"
     "*Q5_0 ffn_down=Q5_K,15*Q4_K"},
    {"narrow", "Q3_K_L", false,
     "token_embd=Q8_0 attn_k+attn_q+ffn_gate+ffn_up=16*Q4_0 attn_output+attn_v=16*Q5_1 ffn_down="
     "16*Q5_K"},
    {"narrow", "IQ4_NL", false,
     "token_embd=Q8_0 attn_k+attn_output+attn_q+ffn_gate+ffn_up=16*IQ4_NL attn_v=16*Q5_1 ffn_dow"
     "n=2*Q5_K,14*IQ4_NL"},
    {"narrow", "IQ4_NL", true,
     "token_embd=Q8_0 attn_k+attn_output+attn_q+ffn_down+ffn_gate+ffn_up=16*IQ4_NL attn_v=16*Q5_"
     "1"},
    {"narrow", "IQ4_XS", false,
     "token_embd=Q8_0 attn_k+attn_output+attn_q+ffn_gate+ffn_up=16*IQ4_NL attn_v=16*Q5_1 ffn_dow"
     "n=2*Q5_K,14*IQ4_XS"},
    {"narrow", "IQ4_XS", true,
     "token_embd=Q8_0 attn_k+attn_output+attn_q+ffn_gate+ffn_up=16*IQ4_NL attn_v=16*Q5_1 ffn_dow"
     "n=16*IQ4_XS"},
    {"narrow", "Q4_K_S", false,
     "token_embd=Q8_0 attn_k+attn_output+attn_q+ffn_gate+ffn_up=16*Q5_0 attn_v=4*Q5_1,12*Q5_0 ff"
     "n_down=2*Q5_K,14*Q4_K"},
    {"narrow", "Q4_K_M", false,
     "token_embd=Q8_0 attn_k+attn_output+attn_q+ffn_gate+ffn_up=16*Q5_0 attn_v=2*Q8_0,2*Q5_0,Q8_"
     "0,2*Q5_0,Q8_0,2*Q5_0,Q8_0,2*Q5_0,3*Q8_0 ffn_down=2*Q6_K,2*Q4_K,Q6_K,2*Q4_K,Q6_K,2*Q4_K,Q6_"
     "K,2*Q4_K,3*Q6_K"},
    {"narrow", "Q5_K_S", false,
     "token_embd=Q8_0 attn_k+attn_output+attn_q+attn_v+ffn_gate+ffn_up=16*Q5_1 ffn_down=16*Q5_K"},
    {"narrow", "Q5_K_M", false,
     "token_embd=Q8_0 attn_k+attn_output+attn_q+ffn_gate+ffn_up=16*Q5_1 attn_v=2*Q8_0,2*Q5_1,Q8_"
     "0,2*Q5_1,Q8_0,2*Q5_1,Q8_0,2*Q5_1,3*Q8_0 ffn_down=2*Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6_K,2*Q5_K,Q6_"
     "K,2*Q5_K,3*Q6_K"},
    {"narrow", "Q6_K", false,
     "token_embd=Q8_0 attn_k+attn_output+attn_q+attn_v+ffn_gate+ffn_up=16*Q8_0 ffn_down=16*Q6_K"},
    {"narrow", "Q8_0", false,
     "token_embd=Q8_0 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*Q8_0"},
    {"narrow", "F16", false,
     "token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F16"},
    {"narrow", "BF16", false,
     "token_embd=BF16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*BF16"},
    {"narrow", "F32", false,
     "token_embd=F32 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F32"},
    {"narrow", "COPY", false,
     "token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F16"},
    {"odd", "Q2_0", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F16"},
    {"odd", "Q4_0", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F16"},
    {"odd", "Q4_1", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F16"},
    {"odd", "MXFP4_MOE", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F16"},
    {"odd", "Q5_0", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F16"},
    {"odd", "Q5_1", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F16"},
    {"odd", "IQ2_XXS", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F16"},
    {"odd", "IQ2_XS", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F16"},
    {"odd", "IQ2_S", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F16"},
    {"odd", "IQ2_M", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F16"},
    {"odd", "IQ1_S", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F16"},
    {"odd", "IQ1_M", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F16"},
    {"odd", "TQ1_0", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F16"},
    {"odd", "TQ2_0", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F16"},
    {"odd", "Q2_K", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F16"},
    {"odd", "Q2_K_S", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F16"},
    {"odd", "IQ3_XXS", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F16"},
    {"odd", "IQ3_S", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F16"},
    {"odd", "IQ3_M", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F16"},
    {"odd", "IQ3_XS", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F16"},
    {"odd", "Q3_K_S", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F16"},
    {"odd", "Q3_K_M", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F16"},
    {"odd", "Q3_K_L", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F16"},
    {"odd", "IQ4_NL", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F16"},
    {"odd", "IQ4_XS", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F16"},
    {"odd", "Q4_K_S", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F16"},
    {"odd", "Q4_K_M", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F16"},
    {"odd", "Q5_K_S", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F16"},
    {"odd", "Q5_K_M", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F16"},
    {"odd", "Q6_K", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F16"},
    {"odd", "Q8_0", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F16"},
    {"odd", "F16", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F16"},
    {"odd", "BF16", false,
     "output+token_embd=BF16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*BF16"},
    {"odd", "F32", false,
     "output+token_embd=F32 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F32"},
    {"odd", "COPY", false,
     "output+token_embd=F16 attn_k+attn_output+attn_q+attn_v+ffn_down+ffn_gate+ffn_up=16*F16"},
};
