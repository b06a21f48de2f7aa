// Signatures that others made: the examples of RFC 7515 and RFC 8037, and Project Wycheproof's.

#include "server/identity/key_set.hpp"
#include "server/identity/strict_json.hpp"
#include "server/identity/test_tokens.hpp"
#include "server/testing/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <set>

namespace pulsewire::identity {
namespace {

using nlohmann::json;

// Whether any key of the set has signed the text, which need be no token of ours: payloads of these examples
// are no claims.
bool is_signed(const key_set& set, const std::string& jws) {
    const std::size_t first = jws.find('.');
    const std::size_t second = first == jws.npos ? first : jws.find('.', first + 1);
    if (second == jws.npos || jws.find('.', second + 1) != jws.npos) return false;
    const auto header_text = from_base64url(jws.substr(0, first));
    const auto header = header_text ? parse_strict_object(*header_text) : parse_strict_object("");
    if (!header || header->contains("crit") || header->contains("b64")) return false;
    const std::string* name = string_member(*header, "alg");
    const std::string* id = string_member(*header, "kid");
    const auto is = name != nullptr ? algorithm_named(*name) : std::nullopt;
    const auto signature = from_base64url(jws.substr(second + 1));
    if (!is || !signature || !from_base64url(jws.substr(first + 1, second - first - 1))) return false;
    for (const key& k : set.keys) {
        const bool meant = k.id().empty() || id == nullptr || k.id() == *id;
        if (meant && k.verify(*is, jws.substr(0, second), *signature)) return true;
    }
    return false;
}

key_set keys_of(const json& jwk) {
    const bool secret = jwk.value("kty", "") == "oct" || (jwk.contains("keys") && !jwk["keys"].empty() &&
                                                          jwk["keys"][0].value("kty", "") == "oct");
    auto set = parse_jwk_set(jwk.dump(), secret ? key_kind::secrets : key_kind::public_keys);
    return set ? std::move(*set) : key_set();
}

TEST(vectors, of_rfc_7515_appendix_a_are_signed) {
    // A.1
    EXPECT_TRUE(is_signed(
        keys_of(
            {{"kty", "oct"},
             {"k", "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}}
        ),
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxl"
        "LmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    ));
    // A.3
    const json p256 = {
        {"kty", "EC"},
        {"crv", "P-256"},
        {"x", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"},
        {"y", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}};
    const std::string jws =
        "eyJhbGciOiJFUzI1NiJ9."
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
        "fQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    EXPECT_TRUE(is_signed(keys_of(p256), jws));
    EXPECT_FALSE(is_signed(keys_of(p256), jws.substr(0, jws.size() - 1) + "g"));
}

TEST(vectors, of_rfc_8037_appendix_a_are_signed) {
    EXPECT_TRUE(is_signed(
        keys_of({{"kty", "OKP"}, {"crv", "Ed25519"}, {"x", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}),
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-"
        "09PGcvMg3AIbQR6dWbhijcNR4ki4"
        "iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    ));
}

// testdata/foreign_tokens.json: tokens that npm's jose and Python's PyJWT made, once, each with its key.
TEST(vectors, of_other_libraries_are_tokens) {
    std::ifstream file("server/identity/testdata/foreign_tokens.json");
    const json all = json::parse(file, nullptr, false);
    ASSERT_EQ(all.size(), 20u);
    for (const json& one : all) {
        const std::string name = one["maker"].get<std::string>() + " " + one["alg"].get<std::string>();
        const testing::temporary_folder folder;
        const std::string path = folder.path() + "/key";
        std::ofstream(path) << one["jwk"].dump();
        token_issuer issuer = test_issuer();
        (one["jwk"]["kty"] == "oct" ? issuer.secret_file : issuer.key_file) = path;
        const token_verifier verifier({issuer});
        const outcome answer = verifier.verify(one["token"].get<std::string>(), test_now_ms);
        ASSERT_EQ(told(answer), "user anna") << name << ": " << why(answer);
        EXPECT_TRUE(std::get<accepted>(answer).who->allowed.on("chat:1", "anna").has(operation::publish))
            << name;
    }
}

// Of Project Wycheproof.
struct suite {
    const char* file;
    std::size_t tests;
    // The test cases whose answer here is another than the suite's, by their tcId.
    std::set<int> accepted_otherwise, refused_otherwise;
};

void run(const suite& s) {
    std::ifstream file(std::string("server/identity/testdata/wycheproof/") + s.file);
    const json all = json::parse(file, nullptr, false);
    ASSERT_TRUE(all.is_object()) << s.file;
    std::size_t seen = 0;
    std::set<int> accepted_otherwise, refused_otherwise;
    for (const json& group : all["testGroups"]) {
        const key_set set = keys_of(group.contains("public") ? group["public"] : group["private"]);
        for (const json& test : group["tests"]) {
            // The others are encrypted, or in JSON's form of JWS, which nothing here reads.
            if (test.contains("jws")) {
                const bool taken = test["jws"].is_string() && is_signed(set, test["jws"]);
                const bool wanted = test["result"] == "valid";
                if (taken != wanted)
                    (taken ? accepted_otherwise : refused_otherwise).insert(test["tcId"].get<int>());
            }
            ++seen;
        }
    }
    EXPECT_EQ(seen, s.tests);
    EXPECT_EQ(accepted_otherwise, s.accepted_otherwise);
    EXPECT_EQ(refused_otherwise, s.refused_otherwise);
}

TEST(vectors, of_wycheproof_for_signatures_are_answered_as_wanted) {
    // 367 and 370 are to show padding, which the file has lost: they equal the valid 357, byte for byte. 372
    // and 373 have a '?' in the base64 and are called valid. 346, 347, 350 and 351 are figures of RFC 7520
    // whose JWK names another algorithm than the signature's: PS256 for PS384, and "ES521", which there is
    // not.
    run({"json_web_signature_test.json", 401, {367, 370}, {346, 347, 350, 351, 372, 373}});
}
TEST(vectors, of_wycheproof_for_keys_are_answered_as_wanted) {
    run({"json_web_key_test.json", 26, {}, {}});
}
TEST(vectors, of_wycheproof_for_both_are_answered_as_wanted) {
    run({"json_web_crypto_test.json", 83, {}, {}});
}

}  // namespace
}  // namespace pulsewire::identity
