#include "server/identity/token_verifier.hpp"

#include "common/protocol/limits.hpp"
#include "server/identity/test_tokens.hpp"
#include "server/testing/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>
#include <vector>

namespace pulsewire::identity {
namespace {

using nlohmann::json;

// A token of exactly these two texts, signed by the secret of the tests.
std::string token_of_texts(const std::string& header, const std::string& claims) {
    const std::string text = to_base64url(header) + "." + to_base64url(claims);
    return text + "." + to_base64url(*signing_key::from_secret(test_secret).sign(algorithm::hs256, text));
}

std::string told_about(const std::string& token) {
    return told(token_verifier({issuer_with_secret()}).verify(token, test_now_ms));
}

// An issuer whose public keys are in a file.
struct with_key_file {
    explicit with_key_file(const std::string& text) { write(text); }
    void write(const std::string& text) { std::ofstream(path, std::ios::binary) << text; }
    token_issuer issuer() const {
        token_issuer one = test_issuer();
        one.key_file = path;
        return one;
    }

    testing::temporary_folder folder;
    std::string path = folder.path() + "/key";
};

TEST(token_verifier, takes_a_token_of_each_algorithm) {
    const signing_key rsa = new_rsa(), p256 = new_ec("P-256"), p384 = new_ec("P-384"), p521 = new_ec("P-521"),
                      ed = new_ed25519();
    const std::pair<const char*, const signing_key*> pairs[] = {
        {"RS256", &rsa}, {"RS384", &rsa},  {"RS512", &rsa},  {"PS256", &rsa},  {"PS384", &rsa},
        {"PS512", &rsa}, {"ES256", &p256}, {"ES384", &p384}, {"ES512", &p521}, {"EdDSA", &ed}};
    for (const auto& [name, pair] : pairs) {
        json jwk = public_jwk(*pair, "k1");
        jwk["alg"] = name;
        const std::string token = *pair->token(test_claims(), {{"alg", name}, {"kid", "k1"}});
        for (const std::string& text : {public_pem(*pair), jwk.dump(), json{{"keys", {jwk}}}.dump()}) {
            const with_key_file file(text);
            EXPECT_EQ(told(token_verifier({file.issuer()}).verify(token, test_now_ms)), "user anna") << name;
        }
    }
    for (const char* name : {"HS256", "HS384", "HS512"})
        EXPECT_EQ(
            told_about(*signing_key::from_secret(test_secret).token(test_claims(), {{"alg", name}})),
            "user anna"
        ) << name;
}

TEST(token_verifier, refuses_a_token_with_any_character_changed) {
    const signing_key rsa = new_rsa(), p256 = new_ec("P-256"), ed = new_ed25519();
    const with_key_file file(
        json{{"keys", {public_jwk(rsa, "r"), public_jwk(p256, "e"), public_jwk(ed, "o")}}}.dump()
    );
    token_issuer issuer = file.issuer();
    issuer.secret = test_secret;
    const token_verifier verifier({issuer});
    const std::string tokens[] = {
        token_of(), *rsa.token(test_claims(), {{"kid", "r"}}),
        *rsa.token(test_claims(), {{"kid", "r"}, {"alg", "PS256"}}),
        *p256.token(test_claims(), {{"kid", "e"}}), *ed.token(test_claims(), {{"kid", "o"}})};
    for (const std::string& token : tokens) {
        ASSERT_EQ(told(verifier.verify(token, test_now_ms)), "user anna");
        for (std::size_t i = 0; i < token.size(); ++i)
            for (const char c : {'A', 'B', 'Q', '-', '.', '=', ' '}) {
                std::string changed = token;
                changed[i] = c;
                if (changed == token) continue;
                EXPECT_TRUE(std::holds_alternative<refused>(verifier.verify(changed, test_now_ms)))
                    << i << " " << c;
            }
        for (const char* more : {"A", "==", " ", "\n", ".", "."})
            EXPECT_TRUE(std::holds_alternative<refused>(verifier.verify(token + more, test_now_ms)));
        EXPECT_TRUE(
            std::holds_alternative<refused>(verifier.verify(token.substr(0, token.size() - 1), test_now_ms))
        );
    }
}

TEST(token_verifier, refuses_the_algorithm_none) {
    for (const char* name : {"none", "None", "nOnE", ""}) {
        const std::string text =
            to_base64url(json{{"alg", name}}.dump()) + "." + to_base64url(test_claims().dump());
        EXPECT_EQ(told_about(text + "."), "algorithm") << name;
        EXPECT_EQ(told_about(text + ".AAAA"), "algorithm") << name;
    }
}

TEST(token_verifier, refuses_a_header_that_asks_for_more_than_a_signature) {
    EXPECT_EQ(
        told_about(token_of_texts(R"({"alg":"HS256","crit":["exp"]})", test_claims().dump())), "malformed"
    );
    EXPECT_EQ(
        told_about(token_of_texts(R"({"alg":"HS256","b64":false})", test_claims().dump())), "malformed"
    );
    EXPECT_EQ(told_about(token_of_texts(R"({"alg":"HS256","kid":7})", test_claims().dump())), "malformed");
    EXPECT_EQ(told_about(token_of_texts(R"({"alg":7})", test_claims().dump())), "malformed");
    EXPECT_EQ(told_about(token_of_texts(R"({"typ":"JWT"})", test_claims().dump())), "malformed");
    EXPECT_EQ(told_about(token_of_texts(R"(["HS256"])", test_claims().dump())), "malformed");
}

TEST(token_verifier, never_uses_a_key_that_the_token_brings_along) {
    const signing_key stranger = new_ec("P-256");
    const with_key_file file(public_pem(new_ec("P-256")));
    const token_verifier verifier({file.issuer()});
    const std::string token = *stranger.token(
        test_claims(),
        {{"jwk", public_jwk(stranger, "x")}, {"jku", "http://127.0.0.1:1/"}, {"x5u", "http://127.0.0.1:1/"}}
    );
    EXPECT_EQ(told(verifier.verify(token, test_now_ms)), "signature");
}

TEST(token_verifier, refuses_members_that_stand_twice) {
    const std::string claims = test_claims().dump();
    EXPECT_EQ(told_about(token_of_texts(R"({"alg":"HS256","alg":"HS256"})", claims)), "malformed");
    EXPECT_EQ(
        told_about(
            token_of_texts(R"({"alg":"HS256"})", claims.substr(0, claims.size() - 1) + R"(,"sub":"eve"})")
        ),
        "malformed"
    );
    EXPECT_EQ(
        told_about(token_of_texts(
            R"({"alg":"HS256"})", claims.substr(0, claims.size() - 1) + R"(,"\u0073ub":"eve"})"
        )),
        "malformed"
    );
    EXPECT_EQ(told_about(token_of_texts(R"({"alg":"HS256"})", claims)), "user anna");
}

TEST(token_verifier, refuses_claims_that_are_no_plain_object) {
    for (const std::string& claims :
         {std::string("null"), std::string("[]"), std::string("{"), test_claims().dump() + "x",
          test_claims().dump() + std::string("\0x", 2), "\xEF\xBB\xBF" + test_claims().dump(),
          std::string(2'000, '['), std::string(R"({"exp":1e999})")})
        EXPECT_EQ(told_about(token_of_texts(R"({"alg":"HS256"})", claims)), "malformed")
            << claims.substr(0, 30);
}

TEST(token_verifier, refuses_a_token_above_eight_kilobytes) {
    const auto padded = [](std::size_t bytes) { return token_of({{"x", std::string(bytes, 'x')}}); };
    std::size_t bytes = 1;
    while (padded(bytes + 1).size() <= token_bytes_max) ++bytes;
    EXPECT_EQ(told_about(padded(bytes)), "user anna");
    EXPECT_EQ(told_about(padded(bytes + 3)), "malformed");
}

// CVE-2015-9235 and its kind: the public key, which everybody has, taken for a secret.
TEST(token_verifier, refuses_a_public_key_as_secret) {
    const signing_key pair = new_rsa();
    const with_key_file file(public_pem(pair));
    const token_verifier verifier({file.issuer()});
    for (const std::string& secret :
         {public_pem(pair), public_pem(pair).substr(0, public_pem(pair).size() - 1)})
        EXPECT_EQ(
            told(verifier.verify(*signing_key::from_secret(secret).token(test_claims()), test_now_ms)),
            "algorithm"
        );
    EXPECT_THROW(token_verifier({issuer_with_secret(public_pem(pair))}), std::runtime_error);
}

TEST(token_verifier, takes_only_the_algorithm_that_a_key_is_for) {
    const signing_key pair = new_rsa();
    json jwk = public_jwk(pair, "r");
    jwk["alg"] = "RS256";
    const with_key_file file(jwk.dump());
    const token_verifier verifier({file.issuer()});
    EXPECT_EQ(
        told(verifier.verify(*pair.token(test_claims(), {{"alg", "PS256"}, {"kid", "r"}}), test_now_ms)),
        "algorithm"
    );
    EXPECT_EQ(
        told(verifier.verify(*pair.token(test_claims(), {{"alg", "RS384"}}), test_now_ms)), "algorithm"
    );
    EXPECT_EQ(
        told(verifier.verify(*pair.token(test_claims(), {{"alg", "RS256"}}), test_now_ms)), "user anna"
    );
}

// CVE-2026-49998: a cache of keys by "kid" alone took another tenant's key.
TEST(token_verifier, looks_for_a_key_among_those_of_the_tokens_issuer_alone) {
    const signing_key ours = new_ec("P-256"), theirs = new_ec("P-256");
    const with_key_file our_file(public_jwk(ours, "k1").dump()), their_file(public_jwk(theirs, "k1").dump());
    token_issuer other = their_file.issuer();
    other.issuer = "https://other.example.com";
    for (const bool ours_first : {true, false}) {
        std::vector<token_issuer> both = {our_file.issuer(), other};
        if (!ours_first) std::swap(both[0], both[1]);
        const token_verifier verifier(both);
        const json header = {{"kid", "k1"}};
        EXPECT_EQ(told(verifier.verify(*ours.token(test_claims(), header), test_now_ms)), "user anna");
        EXPECT_EQ(told(verifier.verify(*theirs.token(test_claims(), header), test_now_ms)), "signature");
        EXPECT_EQ(
            told(verifier.verify(*theirs.token(test_claims({{"iss", other.issuer}}), header), test_now_ms)),
            "user anna"
        );
    }
}

TEST(token_verifier, tells_the_key_and_the_issuer_that_a_token_names_and_nothing_else_of_it) {
    const token_verifier verifier({issuer_with_secret()});
    const std::string token =
        *signing_key::from_secret(std::string(64, 'x')).token(test_claims(), {{"kid", "k\n9"}});
    const auto no = std::get<refused>(verifier.verify(token, test_now_ms));
    EXPECT_EQ(no.fault, token_fault::signature);
    EXPECT_EQ(no.key_id, "k?9");
    EXPECT_EQ(no.issuer, "https://login.example.com");
    EXPECT_EQ(no.why.find(token.substr(token.rfind('.'))), std::string::npos);
}

TEST(token_verifier, takes_tokens_of_several_secrets_at_once) {
    const std::string next(32, 'n');
    const token_verifier verifier({issuer_with_secret(std::string(test_secret) + "\n" + next)});
    EXPECT_EQ(told(verifier.verify(token_of(), test_now_ms)), "user anna");
    EXPECT_EQ(
        told(verifier.verify(*signing_key::from_secret(next).token(test_claims()), test_now_ms)), "user anna"
    );
    EXPECT_EQ(
        told(
            verifier.verify(*signing_key::from_secret(std::string(32, 'o')).token(test_claims()), test_now_ms)
        ),
        "signature"
    );
}

TEST(token_verifier, gives_the_same_principal_for_the_same_token_until_it_ends) {
    const token_verifier verifier({issuer_with_secret()});
    const std::string token = token_of({{"nbf", test_now_ms / 1000}});
    const auto at = [&](std::int64_t ms) { return verifier.verify(token, ms); };
    const auto first = std::get<accepted>(at(test_now_ms)).who;
    EXPECT_EQ(std::get<accepted>(at(test_now_ms + 1)).who, first);
    EXPECT_EQ(told(at(test_now_ms + 3'630'000)), "expired");
    EXPECT_EQ(told(at(test_now_ms - 30'001)), "not_yet_valid");
}

TEST(token_verifier, forgets_tokens_of_a_key_that_was_taken_away) {
    const signing_key before = new_ec("P-256"), after = new_ec("P-256");
    with_key_file file(public_pem(before));
    token_verifier verifier({file.issuer()});
    const std::string token = *before.token(test_claims());
    ASSERT_EQ(told(verifier.verify(token, test_now_ms)), "user anna");
    file.write(public_pem(after));
    verifier.reload();
    EXPECT_EQ(told(verifier.verify(token, test_now_ms)), "signature");
    EXPECT_EQ(told(verifier.verify(*after.token(test_claims()), test_now_ms)), "user anna");
}

TEST(token_verifier, keeps_its_keys_when_the_new_ones_are_wrong) {
    const signing_key pair = new_ec("P-256");
    with_key_file file(public_pem(pair));
    token_verifier verifier({file.issuer()});
    file.write("no key");
    EXPECT_THROW(verifier.reload(), std::runtime_error);
    EXPECT_EQ(told(verifier.verify(*pair.token(test_claims()), test_now_ms)), "user anna");
}

TEST(token_verifier, can_be_asked_by_many_threads_while_keys_rotate) {
    const signing_key first = new_ec("P-256"), second = new_ec("P-256");
    const auto both = [&](const char* a, const char* b) {
        return json{{"keys", {public_jwk(first, a), public_jwk(second, b)}}}.dump();
    };
    with_key_file file(both("1", "2"));
    token_verifier verifier({file.issuer()});
    std::atomic<bool> ended = false;
    std::atomic<int> wrong = 0, asked = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i)
        threads.emplace_back([&, i] {
            for (int n = 0; !ended || n == 0; ++n) {
                const std::string id = std::to_string(i) + "." + std::to_string(n);
                // Both keys stay, under changing names; tokens without a name are always good.
                const std::string token = *(n % 2 ? first : second).token(test_claims({{"jti", id}}));
                wrong += told(verifier.verify(token, test_now_ms)) != "user anna";
                ++asked;
            }
        });
    for (int i = 0; i < 50; ++i) {
        // In one step: readers must never see half a file, which is not what this test is about.
        const std::string next = file.path + ".next";
        std::ofstream(next, std::ios::binary) << (i % 2 ? both("1", "2") : both("3", "4"));
        std::filesystem::rename(next, file.path);
        verifier.reload();
    }
    ended = true;
    for (std::thread& t : threads) t.join();
    EXPECT_EQ(wrong, 0);
    EXPECT_GT(asked, 0);
}

TEST(token_verifier, without_issuers_refuses_every_token) {
    const token_verifier nobody({});
    EXPECT_FALSE(nobody.has_issuers());
    EXPECT_EQ(told(nobody.verify(token_of(), test_now_ms)), "issuer");
}

}  // namespace
}  // namespace pulsewire::identity
