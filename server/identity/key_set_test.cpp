#include "server/identity/key_set.hpp"

#include "server/identity/test_tokens.hpp"
#include "server/testing/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace pulsewire::identity {
namespace {

using nlohmann::json;

// The fault of a single JWK, or the algorithms it can be used with.
std::string read(const json& jwk) {
    const key_kind kind = jwk.value("kty", "") == "oct" ? key_kind::secrets : key_kind::public_keys;
    const auto set = parse_jwk_set(jwk.dump(), kind);
    return set ? set->keys.at(0).algorithm_names() : set.error();
}

json with(json jwk, const json& others) {
    jwk.merge_patch(others);
    return jwk;
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

TEST(key_set, decides_the_algorithms_of_a_key_by_its_kind_and_its_alg) {
    const json rsa = public_jwk(new_rsa(), "r"), p256 = public_jwk(new_ec("P-256"), "e");
    EXPECT_EQ(read(rsa), "RS256, RS384, RS512, PS256, PS384, PS512");
    EXPECT_EQ(read(with(rsa, {{"alg", "PS384"}})), "PS384");
    EXPECT_EQ(read(p256), "ES256");
    EXPECT_EQ(read(public_jwk(new_ec("P-384"), "e")), "ES384");
    EXPECT_EQ(read(public_jwk(new_ec("P-521"), "e")), "ES512");
    EXPECT_EQ(read(public_jwk(new_ed25519(), "o")), "EdDSA");
    const auto secret = [](std::size_t bytes) {
        return json{{"kty", "oct"}, {"k", to_base64url(std::string(bytes, 's'))}};
    };
    EXPECT_EQ(read(secret(32)), "HS256");
    EXPECT_EQ(read(secret(48)), "HS256, HS384");
    EXPECT_EQ(read(secret(64)), "HS256, HS384, HS512");
    EXPECT_EQ(read(with(secret(64), {{"alg", "HS384"}})), "HS384");
    for (const char* other : {"ES384", "RS256", "HS256", "none", "RSA-OAEP"})
        EXPECT_TRUE(has(read(with(p256, {{"alg", other}})), "ES256")) << other;
    EXPECT_TRUE(has(read(with(secret(32), {{"alg", "HS512"}})), "HS256"));
}

TEST(key_set, refuses_keys_that_are_weak_or_broken) {
    const json rsa = public_jwk(new_rsa(), "r"), p256 = public_jwk(new_ec("P-256"), "e");
    EXPECT_TRUE(has(read(public_jwk(new_rsa(1024), "r")), "1024 bits"));
    EXPECT_TRUE(has(read(with(rsa, {{"e", "AQ"}})), "exponent"));  // 1
    EXPECT_TRUE(has(read(with(rsa, {{"e", "BA"}})), "exponent"));  // 4
    EXPECT_TRUE(has(read(with(rsa, {{"n", "AA" + rsa["n"].get<std::string>()}})), "no key"));
    EXPECT_TRUE(has(read(with(rsa, {{"n", nullptr}})), "no key"));
    EXPECT_TRUE(has(read(with(p256, {{"x", p256["y"]}})), "no key"));  // beside the curve
    EXPECT_TRUE(has(read(with(p256, {{"crv", "P-384"}})), "no key"));
    EXPECT_TRUE(has(read(with(p256, {{"crv", "secp256k1"}})), "curve"));
    EXPECT_TRUE(has(read(with(public_jwk(new_ed25519(), "o"), {{"x", "AAAA"}})), "no key"));
    EXPECT_TRUE(has(read(with(public_jwk(new_ed25519(), "o"), {{"crv", "X25519"}})), "curve"));
    EXPECT_TRUE(has(read({{"kty", "oct"}, {"k", to_base64url(std::string(31, 's'))}}), "31 bytes"));
    EXPECT_TRUE(has(read({{"kty", "oct"}, {"k", "a+b/"}}), "base64url"));
    EXPECT_TRUE(has(read({{"kty", "AKP"}}), "not supported"));
    EXPECT_TRUE(has(read({{"kid", "x"}}), "kty"));
}

TEST(key_set, refuses_keys_for_other_purposes) {
    const json p256 = public_jwk(new_ec("P-256"), "e");
    EXPECT_TRUE(has(read(with(p256, {{"use", "enc"}})), "use"));
    EXPECT_TRUE(has(read(with(p256, {{"key_ops", {"encrypt", "sign"}}})), "key_ops"));
    EXPECT_TRUE(has(read(with(p256, {{"key_ops", "verify"}})), "key_ops"));
    EXPECT_EQ(read(with(p256, {{"use", nullptr}, {"key_ops", {"verify"}}})), "ES256");
}

TEST(key_set, refuses_private_parts_and_does_not_show_them) {
    for (const char* name : {"d", "p", "qi"}) {
        const std::string fault = read(with(public_jwk(new_ec("P-256"), "e"), {{name, "c2VjcmV0"}}));
        EXPECT_TRUE(has(fault, "private")) << name;
        EXPECT_FALSE(has(fault, "c2VjcmV0"));
    }
    const signing_key pair = new_ed25519();
    const bio_ptr bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_PrivateKey(bio.get(), pair.pair(), nullptr, nullptr, 0, nullptr, nullptr);
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &text);
    const auto set = parse_public_keys({text, static_cast<std::size_t>(size)});
    ASSERT_FALSE(set);
    EXPECT_TRUE(has(set.error(), "private key"));
}

// As Keycloak's: one key signs, one encrypts; others have what we do not know.
TEST(key_set, of_a_provider_leaves_out_what_it_cannot_use_and_says_so) {
    const json good = public_jwk(new_rsa(), "sig-1");
    json encrypts = public_jwk(new_rsa(), "enc-1");
    encrypts.merge_patch({{"use", "enc"}, {"alg", "RSA-OAEP"}});
    const json set = {
        {"keys", {encrypts, good, {{"kty", "AKP"}, {"kid", "ml-dsa"}, {"alg", "ML-DSA-44"}}, 7}}};
    const auto read = parse_public_keys(set.dump());
    ASSERT_TRUE(read);
    ASSERT_EQ(read->keys.size(), 1u);
    EXPECT_EQ(read->keys[0].id(), "sig-1");
    ASSERT_EQ(read->left_out.size(), 3u);
    EXPECT_TRUE(has(read->left_out[0], "enc-1"));
}

TEST(key_set, uses_none_of_two_keys_of_one_name) {
    const json set = {
        {"keys",
         {public_jwk(new_ec("P-256"), "k"), public_jwk(new_ec("P-256"), "k"),
          public_jwk(new_ec("P-256"), "l")}}};
    const auto read = parse_public_keys(set.dump());
    ASSERT_TRUE(read);
    ASSERT_EQ(read->keys.size(), 1u);
    EXPECT_EQ(read->keys[0].id(), "l");
    EXPECT_EQ(read->left_out.size(), 2u);
}

TEST(key_set, keeps_secrets_and_public_keys_apart) {
    const json secret = {{"kty", "oct"}, {"k", to_base64url(std::string(32, 's'))}};
    EXPECT_FALSE(parse_public_keys(secret.dump()));
    EXPECT_FALSE(parse_public_keys(json{{"keys", {secret, public_jwk(new_ec("P-256"), "e")}}}.dump()));
    EXPECT_FALSE(parse_secrets(public_jwk(new_ec("P-256"), "e").dump()));
    EXPECT_TRUE(parse_secrets(json{{"keys", {secret}}}.dump()));
    const auto only_secret = parse_public_keys(json{{"keys", {secret}}}.dump());
    ASSERT_TRUE(only_secret);
    EXPECT_TRUE(only_secret->keys.empty());
}

TEST(key_set, has_a_bound) {
    const json one = public_jwk(new_ec("P-256"), "e");
    EXPECT_TRUE(parse_public_keys(json{{"keys", json(std::vector<json>(keys_max, one))}}.dump()));
    EXPECT_FALSE(parse_public_keys(json{{"keys", json(std::vector<json>(keys_max + 1, one))}}.dump()));
    EXPECT_FALSE(parse_public_keys(json{{"keys", {{"e", one}}}}.dump()));
}

TEST(key_set, of_secrets_is_read_line_by_line) {
    const std::string a(32, 'a'), b(48, 'b');
    const auto set = parse_secrets("# ours\n" + a + "\r\n\n  " + b + "  \n");
    ASSERT_TRUE(set);
    ASSERT_EQ(set->keys.size(), 2u);
    EXPECT_TRUE(
        set->keys[1].verify(algorithm::hs384, "x", *signing_key::from_secret(b).sign(algorithm::hs384, "x"))
    );
    const auto weak = parse_secrets(a + "\nshort\n");
    ASSERT_FALSE(weak);
    EXPECT_TRUE(has(weak.error(), "line 2"));
    EXPECT_FALSE(has(weak.error(), "short"));
}

TEST(key_set, reads_several_keys_and_a_certificate_in_pem) {
    const std::string text = public_pem(new_rsa()) + "# a comment\n" + public_pem(new_ed25519());
    const auto set = parse_public_keys(text);
    ASSERT_TRUE(set);
    EXPECT_EQ(set->keys.size(), 2u);
    EXPECT_FALSE(parse_public_keys("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"));
    EXPECT_FALSE(parse_public_keys("-----BEGIN "));
}

TEST(key_set, names_the_file_that_cannot_be_used) {
    const testing::temporary_folder folder;
    token_issuer issuer = test_issuer();
    issuer.key_file = folder.path() + "/none";
    EXPECT_TRUE(has(configured_keys(issuer).error(), "none cannot be read: No such file"));
    issuer.key_file = folder.path();
    EXPECT_TRUE(has(configured_keys(issuer).error(), "directory"));
    issuer.key_file = folder.path() + "/large";
    std::ofstream(issuer.key_file) << std::string(key_text_bytes_max + 1, ' ');
    EXPECT_TRUE(has(configured_keys(issuer).error(), "larger"));
}

}  // namespace
}  // namespace pulsewire::identity
