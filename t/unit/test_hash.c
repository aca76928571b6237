
/*
 * Copyright (C) The ngx_registry_module authors
 */


/*
 * Unit tests of ngx_registry_hash.c.
 */


#include "ngx_registry_hash.h"

#include "tap.h"


typedef struct {
    const char  *text;
    unsigned     times;
    const char  *sha256;
    const char  *sha512;
} vector_t;


/* FIPS 180-4, the examples of NIST's Cryptographic Toolkit, and nothing */

static const vector_t  vectors[] = {
    { "", 1,
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
      "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e" },
    { "abc", 1,
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
      "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
    { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
      "204a8fc6dda82f0a0ced7beb8e08a41657c16ef468b228a8279be331a703c335"
      "96fd15c13b1b07f9aa1d3bea57789ca031ad85c7a71dd70354ec631238ca3445" },
    { "aaaaaaaaaa", 100000,
      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
      "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973eb"
      "de0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b" }
};


static void
test_vector(const vector_t *v, ngx_registry_digest_e algorithm,
    const char *want)
{
    size_t               len;
    u_char               hash[NGX_REGISTRY_HASH_MAX_LEN];
    u_char               hex[2 * NGX_REGISTRY_HASH_MAX_LEN];
    unsigned             i;
    ngx_registry_hash_t  h;

    ngx_registry_hash_init(&h, algorithm);

    for (i = 0; i < v->times; i++) {
        ngx_registry_hash_update(&h, v->text, strlen(v->text));
    }

    len = ngx_registry_hash_final(&h, hash);
    (void) ngx_registry_hex_write(hex, hash, len);

    is_bytes(hex, 2 * len, want, strlen(want), v->text);
}


/*
 * At each length up to two blocks and a half the state is saved, taken up by
 * another hash, and both go on to the same end.
 */
static void
test_resume(void)
{
    u_char               text[300], *state, first[64], second[64];
    size_t               i;
    unsigned             same;
    ngx_registry_hash_t  a, b;

    for (i = 0; i < sizeof(text); i++) {
        text[i] = (u_char) (i * 7 + 1);
    }

    same = 0;

    for (i = 0; i <= 160; i++) {
        ngx_registry_hash_init(&a, NGX_REGISTRY_SHA256);
        ngx_registry_hash_update(&a, text, i);

        state = tap_guarded(NULL, NGX_REGISTRY_HASH_STATE_LEN);
        ngx_registry_hash_save(&a, state);

        memset(&b, 0x5a, sizeof(ngx_registry_hash_t));
        ngx_registry_hash_load(&b, state);

        ngx_registry_hash_update(&a, text + i, sizeof(text) - i);
        ngx_registry_hash_update(&b, text + i, sizeof(text) - i);

        same += (ngx_registry_hash_final(&a, first) == 32
                 && ngx_registry_hash_final(&b, second) == 32
                 && memcmp(first, second, 32) == 0);
    }

    ok(same == 161, "a state that was saved goes on");
}


/* the form of a state is for other versions and machines, too */

static void
test_form(void)
{
    u_char               state[NGX_REGISTRY_HASH_STATE_LEN];
    u_char               want[NGX_REGISTRY_HASH_STATE_LEN];
    u_char               hash[64], hex[64];
    ngx_registry_hash_t  h;

    static const u_char  initial[] =
        "\x6a\x09\xe6\x67\xbb\x67\xae\x85\x3c\x6e\xf3\x72\xa5\x4f\xf5\x3a"
        "\x51\x0e\x52\x7f\x9b\x05\x68\x8c\x1f\x83\xd9\xab\x5b\xe0\xcd\x19";

    memset(want, 0, sizeof(want));
    memcpy(want, initial, 32);
    want[39] = 3;
    memcpy(want + 40, "abc", 3);

    ngx_registry_hash_init(&h, NGX_REGISTRY_SHA256);
    ngx_registry_hash_update(&h, "abc", 3);
    ngx_registry_hash_save(&h, state);

    is_bytes(state, sizeof(state), want, sizeof(want),
             "FIPS 180-4, 5.3.3: words, length, block");

    ngx_registry_hash_load(&h, want);
    (void) ngx_registry_hash_final(&h, hash);
    (void) ngx_registry_hex_write(hex, hash, 32);

    is_bytes(hex, 64, vectors[1].sha256, 64, "and back");

    /* more than 2^32 bits and than 2^32 bytes */

    want[34] = 0x12;
    want[35] = 0x34;
    want[39] = 0x43;

    ngx_registry_hash_load(&h, want);
    ngx_registry_hash_save(&h, state);

    is_bytes(state, sizeof(state), want, sizeof(want), "a long one");

    /* whatever a damaged file holds, nothing is read or written beyond */

    memset(want, 0xff, sizeof(want));
    ngx_registry_hash_load(&h, want);
    ngx_registry_hash_update(&h, want, sizeof(want));

    ok(ngx_registry_hash_final(&h, hash) == 32, "every state is one");
}


int
main(void)
{
    size_t  i;

    for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        test_vector(&vectors[i], NGX_REGISTRY_SHA256, vectors[i].sha256);
        test_vector(&vectors[i], NGX_REGISTRY_SHA512, vectors[i].sha512);
    }

    test_resume();
    test_form();

    return done_testing();
}
