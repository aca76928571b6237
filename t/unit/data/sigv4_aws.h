
/*
 * The signing test suite of AWS (aws-c-auth, tests/aws-signing-test-suite/v4,
 * Apache License 2.0): what is signed, and the signature.  Folded headers are
 * unfolded; a path is not normalized in S3, so six cases do not apply.
 */


static const aws_pair_t  get_header_key_duplicate_headers[] = {
    { "Host", "example.amazonaws.com" },
    { "My-Header1", "value2" },
    { "My-Header1", "value2" },
    { "My-Header1", "value1" },
    { "X-Amz-Date", "20150830T123600Z" },
    { NULL, NULL }
};

static const aws_pair_t  get_header_value_multiline_headers[] = {
    { "Host", "example.amazonaws.com" },
    { "My-Header1", "value1 value2 value3" },
    { "X-Amz-Date", "20150830T123600Z" },
    { NULL, NULL }
};

static const aws_pair_t  get_header_value_order_headers[] = {
    { "Host", "example.amazonaws.com" },
    { "My-Header1", "value4" },
    { "My-Header1", "value1" },
    { "My-Header1", "value3" },
    { "My-Header1", "value2" },
    { "X-Amz-Date", "20150830T123600Z" },
    { NULL, NULL }
};

static const aws_pair_t  get_header_value_trim_headers[] = {
    { "Host", "example.amazonaws.com" },
    { "My-Header1", " value1" },
    { "My-Header2", " \"a   b   c\"" },
    { "X-Amz-Date", "20150830T123600Z" },
    { NULL, NULL }
};

static const aws_pair_t  get_relative_normalized_headers[] = {
    { "Host", "example.amazonaws.com" },
    { "X-Amz-Date", "20150830T123600Z" },
    { NULL, NULL }
};

static const aws_pair_t  get_relative_relative_normalized_headers[] = {
    { "Host", "example.amazonaws.com" },
    { "X-Amz-Date", "20150830T123600Z" },
    { NULL, NULL }
};

static const aws_pair_t  get_relative_relative_unnormalized_headers[] = {
    { "Host", "example.amazonaws.com" },
    { "X-Amz-Date", "20150830T123600Z" },
    { NULL, NULL }
};

static const aws_pair_t  get_relative_unnormalized_headers[] = {
    { "Host", "example.amazonaws.com" },
    { "X-Amz-Date", "20150830T123600Z" },
    { NULL, NULL }
};

static const aws_pair_t  get_slash_dot_slash_normalized_headers[] = {
    { "Host", "example.amazonaws.com" },
    { "X-Amz-Date", "20150830T123600Z" },
    { NULL, NULL }
};

static const aws_pair_t  get_slash_dot_slash_unnormalized_headers[] = {
    { "Host", "example.amazonaws.com" },
    { "X-Amz-Date", "20150830T123600Z" },
    { NULL, NULL }
};

static const aws_pair_t  get_slash_normalized_headers[] = {
    { "Host", "example.amazonaws.com" },
    { "X-Amz-Date", "20150830T123600Z" },
    { NULL, NULL }
};

static const aws_pair_t  get_slash_pointless_dot_normalized_headers[] = {
    { "Host", "example.amazonaws.com" },
    { "X-Amz-Date", "20150830T123600Z" },
    { NULL, NULL }
};

static const aws_pair_t  get_slash_pointless_dot_unnormalized_headers[] = {
    { "Host", "example.amazonaws.com" },
    { "X-Amz-Date", "20150830T123600Z" },
    { NULL, NULL }
};

static const aws_pair_t  get_slash_unnormalized_headers[] = {
    { "Host", "example.amazonaws.com" },
    { "X-Amz-Date", "20150830T123600Z" },
    { NULL, NULL }
};

static const aws_pair_t  get_slashes_normalized_headers[] = {
    { "Host", "example.amazonaws.com" },
    { "X-Amz-Date", "20150830T123600Z" },
    { NULL, NULL }
};

static const aws_pair_t  get_slashes_unnormalized_headers[] = {
    { "Host", "example.amazonaws.com" },
    { "X-Amz-Date", "20150830T123600Z" },
    { NULL, NULL }
};

static const aws_pair_t  get_space_normalized_headers[] = {
    { "Host", "example.amazonaws.com" },
    { "X-Amz-Date", "20150830T123600Z" },
    { NULL, NULL }
};

static const aws_pair_t  get_space_unnormalized_headers[] = {
    { "Host", "example.amazonaws.com" },
    { "X-Amz-Date", "20150830T123600Z" },
    { NULL, NULL }
};

static const aws_pair_t  get_unreserved_headers[] = {
    { "Host", "example.amazonaws.com" },
    { "X-Amz-Date", "20150830T123600Z" },
    { NULL, NULL }
};

static const aws_pair_t  get_utf8_headers[] = {
    { "Host", "example.amazonaws.com" },
    { "X-Amz-Date", "20150830T123600Z" },
    { NULL, NULL }
};

static const aws_pair_t  get_vanilla_headers[] = {
    { "Host", "example.amazonaws.com" },
    { "X-Amz-Date", "20150830T123600Z" },
    { NULL, NULL }
};

static const aws_pair_t  get_vanilla_empty_query_key_headers[] = {
    { "Host", "example.amazonaws.com" },
    { "X-Amz-Date", "20150830T123600Z" },
    { NULL, NULL }
};

static const aws_pair_t  get_vanilla_empty_query_key_query[] = {
    { "Param1", "value1" },
    { NULL, NULL }
};

static const aws_pair_t  get_vanilla_query_headers[] = {
    { "Host", "example.amazonaws.com" },
    { "X-Amz-Date", "20150830T123600Z" },
    { NULL, NULL }
};

static const aws_pair_t  get_vanilla_query_order_encoded_headers[] = {
    { "Host", "example.amazonaws.com" },
    { "X-Amz-Date", "20150830T123600Z" },
    { NULL, NULL }
};

static const aws_pair_t  get_vanilla_query_order_encoded_query[] = {
    { "Param-3", "Value3" },
    { "Param", "Value2" },
    { "\341\210\264", "Value1" },
    { NULL, NULL }
};

static const aws_pair_t  get_vanilla_query_order_key_case_headers[] = {
    { "Host", "example.amazonaws.com" },
    { "X-Amz-Date", "20150830T123600Z" },
    { NULL, NULL }
};

static const aws_pair_t  get_vanilla_query_order_key_case_query[] = {
    { "Param2", "value2" },
    { "Param1", "value1" },
    { NULL, NULL }
};

static const aws_pair_t  get_vanilla_query_unreserved_headers[] = {
    { "Host", "example.amazonaws.com" },
    { "X-Amz-Date", "20150830T123600Z" },
    { NULL, NULL }
};

static const aws_pair_t  get_vanilla_query_unreserved_query[] = {
    { "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
      "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" },
    { NULL, NULL }
};

static const aws_pair_t  get_vanilla_utf8_query_headers[] = {
    { "Host", "example.amazonaws.com" },
    { "X-Amz-Date", "20150830T123600Z" },
    { NULL, NULL }
};

static const aws_pair_t  get_vanilla_utf8_query_query[] = {
    { "\341\210\264", "bar" },
    { NULL, NULL }
};

static const aws_pair_t  get_vanilla_with_session_token_headers[] = {
    { "Host", "example.amazonaws.com" },
    { "X-Amz-Date", "20150830T123600Z" },
    { "X-Amz-Security-Token", "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267" },
    { NULL, NULL }
};

static const aws_pair_t  post_header_key_case_headers[] = {
    { "Host", "example.amazonaws.com" },
    { "X-Amz-Date", "20150830T123600Z" },
    { NULL, NULL }
};

static const aws_pair_t  post_header_key_sort_headers[] = {
    { "Host", "example.amazonaws.com" },
    { "My-Header1", "value1" },
    { "X-Amz-Date", "20150830T123600Z" },
    { NULL, NULL }
};

static const aws_pair_t  post_header_value_case_headers[] = {
    { "Host", "example.amazonaws.com" },
    { "My-Header1", "VALUE1" },
    { "X-Amz-Date", "20150830T123600Z" },
    { NULL, NULL }
};

static const aws_pair_t  post_sts_header_after_headers[] = {
    { "Host", "example.amazonaws.com" },
    { "X-Amz-Date", "20150830T123600Z" },
    { NULL, NULL }
};

static const aws_pair_t  post_sts_header_before_headers[] = {
    { "Host", "example.amazonaws.com" },
    { "X-Amz-Date", "20150830T123600Z" },
    { "X-Amz-Security-Token",
      "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4"
      "FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI"
      "/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQ"
      "DYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT"
      "38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9K"
      "SYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==" },
    { NULL, NULL }
};

static const aws_pair_t  post_vanilla_headers[] = {
    { "Host", "example.amazonaws.com" },
    { "X-Amz-Date", "20150830T123600Z" },
    { NULL, NULL }
};

static const aws_pair_t  post_vanilla_empty_query_value_headers[] = {
    { "Host", "example.amazonaws.com" },
    { "X-Amz-Date", "20150830T123600Z" },
    { NULL, NULL }
};

static const aws_pair_t  post_vanilla_empty_query_value_query[] = {
    { "Param1", "value1" },
    { NULL, NULL }
};

static const aws_pair_t  post_vanilla_query_headers[] = {
    { "Host", "example.amazonaws.com" },
    { "X-Amz-Date", "20150830T123600Z" },
    { NULL, NULL }
};

static const aws_pair_t  post_vanilla_query_query[] = {
    { "Param1", "value1" },
    { NULL, NULL }
};

static const aws_pair_t  post_x_www_form_urlencoded_headers[] = {
    { "Content-Type", "application/x-www-form-urlencoded" },
    { "Host", "example.amazonaws.com" },
    { "Content-Length", "13" },
    { "X-Amz-Date", "20150830T123600Z" },
    { "x-amz-content-sha256", "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e" },
    { NULL, NULL }
};

static const aws_pair_t  post_x_www_form_urlencoded_parameters_headers[] = {
    { "Content-Type", "application/x-www-form-urlencoded; charset=utf-8" },
    { "Host", "example.amazonaws.com" },
    { "Content-Length", "13" },
    { "X-Amz-Date", "20150830T123600Z" },
    { "x-amz-content-sha256", "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e" },
    { NULL, NULL }
};


static const aws_case_t  aws_cases[] = {
    { "get-header-key-duplicate", 1,
      "GET", "/", NULL, get_header_key_duplicate_headers,
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea" },
    { "get-header-value-multiline", 1,
      "GET", "/", NULL, get_header_value_multiline_headers,
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "cfd34249e4b1c8d6b91ef74165d41a32e5fab3306300901bb65a51a73575eefd" },
    { "get-header-value-order", 1,
      "GET", "/", NULL, get_header_value_order_headers,
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01" },
    { "get-header-value-trim", 1,
      "GET", "/", NULL, get_header_value_trim_headers,
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736" },
    { "get-relative-normalized", 0,
      "GET", "/example/..", NULL, get_relative_normalized_headers,
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
    { "get-relative-relative-normalized", 0,
      "GET", "/example1/example2/../..", NULL, get_relative_relative_normalized_headers,
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
    { "get-relative-relative-unnormalized", 1,
      "GET", "/example1/example2/../..", NULL, get_relative_relative_unnormalized_headers,
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "dc33e0856fd4baca4d7aa2146c38958283844764f38c74252a333df5e613003b" },
    { "get-relative-unnormalized", 1,
      "GET", "/example/..", NULL, get_relative_unnormalized_headers,
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "eca7ead57bb5aa5c8e28007acd4ff04e1ff9a0ff3b237ec1554a184887ff9282" },
    { "get-slash-dot-slash-normalized", 0,
      "GET", "/./", NULL, get_slash_dot_slash_normalized_headers,
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
    { "get-slash-dot-slash-unnormalized", 1,
      "GET", "/./", NULL, get_slash_dot_slash_unnormalized_headers,
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "68714168e6557f8f2de0ef956fc24dc2593a4bd2961f8df51898d8a134695145" },
    { "get-slash-normalized", 0,
      "GET", "//", NULL, get_slash_normalized_headers,
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
    { "get-slash-pointless-dot-normalized", 0,
      "GET", "/./example", NULL, get_slash_pointless_dot_normalized_headers,
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5" },
    { "get-slash-pointless-dot-unnormalized", 1,
      "GET", "/./example", NULL, get_slash_pointless_dot_unnormalized_headers,
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "beb03f223f7deae4146464f06e29eebbee9c8afbe15c290cf07aa8b119e14cff" },
    { "get-slash-unnormalized", 1,
      "GET", "//", NULL, get_slash_unnormalized_headers,
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "c88bcd3d312d75078c0cd961d6deae3f4c754924b01669efcfcb439fd5e5b76e" },
    { "get-slashes-normalized", 0,
      "GET", "//example//", NULL, get_slashes_normalized_headers,
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84" },
    { "get-slashes-unnormalized", 1,
      "GET", "//example//", NULL, get_slashes_unnormalized_headers,
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "87cca117541a147f6df867677d98a7d80dff226d2bfca9e4ffa899665623c7e5" },
    { "get-space-normalized", 1,
      "GET", "/example space/", NULL, get_space_normalized_headers,
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741" },
    { "get-space-unnormalized", 1,
      "GET", "/example space/", NULL, get_space_unnormalized_headers,
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741" },
    { "get-unreserved", 1,
      "GET", "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", NULL, get_unreserved_headers,
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f" },
    { "get-utf8", 1,
      "GET", "/\341\210\264", NULL, get_utf8_headers,
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85" },
    { "get-vanilla", 1,
      "GET", "/", NULL, get_vanilla_headers,
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
    { "get-vanilla-empty-query-key", 1,
      "GET", "/", get_vanilla_empty_query_key_query, get_vanilla_empty_query_key_headers,
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb" },
    { "get-vanilla-query", 1,
      "GET", "/", NULL, get_vanilla_query_headers,
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
    { "get-vanilla-query-order-encoded", 1,
      "GET", "/", get_vanilla_query_order_encoded_query, get_vanilla_query_order_encoded_headers,
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac" },
    { "get-vanilla-query-order-key-case", 1,
      "GET", "/", get_vanilla_query_order_key_case_query, get_vanilla_query_order_key_case_headers,
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500" },
    { "get-vanilla-query-unreserved", 1,
      "GET", "/", get_vanilla_query_unreserved_query, get_vanilla_query_unreserved_headers,
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197" },
    { "get-vanilla-utf8-query", 1,
      "GET", "/", get_vanilla_utf8_query_query, get_vanilla_utf8_query_headers,
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04" },
    { "get-vanilla-with-session-token", 1,
      "GET", "/", NULL, get_vanilla_with_session_token_headers,
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8" },
    { "post-header-key-case", 1,
      "POST", "/", NULL, post_header_key_case_headers,
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b" },
    { "post-header-key-sort", 1,
      "POST", "/", NULL, post_header_key_sort_headers,
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c" },
    { "post-header-value-case", 1,
      "POST", "/", NULL, post_header_value_case_headers,
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d" },
    { "post-sts-header-after", 1,
      "POST", "/", NULL, post_sts_header_after_headers,
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b" },
    { "post-sts-header-before", 1,
      "POST", "/", NULL, post_sts_header_before_headers,
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead" },
    { "post-vanilla", 1,
      "POST", "/", NULL, post_vanilla_headers,
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b" },
    { "post-vanilla-empty-query-value", 1,
      "POST", "/", post_vanilla_empty_query_value_query, post_vanilla_empty_query_value_headers,
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11" },
    { "post-vanilla-query", 1,
      "POST", "/", post_vanilla_query_query, post_vanilla_query_headers,
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11" },
    { "post-x-www-form-urlencoded", 1,
      "POST", "/", NULL, post_x_www_form_urlencoded_headers,
      "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e",
      "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b" },
    { "post-x-www-form-urlencoded-parameters", 1,
      "POST", "/", NULL, post_x_www_form_urlencoded_parameters_headers,
      "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e",
      "328d1b9eaadca9f5818ef05e8392801e091653bafec24fcab71e7344e7f51422" },
};
