#pragma once

// Certificates for tests: made on the spot, signed by themselves, in files.

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>

namespace pulsewire::testing {

struct certificate_wishes {
    enum class kind : unsigned char { ecdsa, rsa } key = kind::ecdsa;
    long begins_s = -3'600;  // from now
    long expires_s = 24 * 3'600;
    std::string name = "localhost";
    // Empty: the key is not encrypted.
    std::string password = {};
};

// Writes `base`.crt and `base`.key.
struct certificate_files {
    certificate_files(const std::string& base, const certificate_wishes& wishes = {})
        : certificate(base + ".crt"), key(base + ".key") {
        using key_ptr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
        const key_ptr pair(
            wishes.key == certificate_wishes::kind::ecdsa ? EVP_EC_gen("P-256") : EVP_RSA_gen(2'048),
            &EVP_PKEY_free
        );
        const std::unique_ptr<X509, decltype(&X509_free)> made(X509_new(), &X509_free);
        X509_set_version(made.get(), 2);
        ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
        X509_gmtime_adj(X509_getm_notBefore(made.get()), wishes.begins_s);
        X509_gmtime_adj(X509_getm_notAfter(made.get()), wishes.expires_s);
        X509_set_pubkey(made.get(), pair.get());
        X509_NAME* const name = X509_get_subject_name(made.get());
        const auto* text = reinterpret_cast<const unsigned char*>(wishes.name.c_str());
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, text, -1, -1, 0);
        X509_set_issuer_name(made.get(), name);
        if (X509_sign(made.get(), pair.get(), EVP_sha256()) == 0) throw std::runtime_error("not signed");

        const auto write = [](const std::string& path, auto&& what) {
            std::FILE* file = std::fopen(path.c_str(), "we");
            if (file == nullptr) throw std::runtime_error("cannot write " + path);
            what(file);
            std::fclose(file);
        };
        write(certificate, [&](std::FILE* f) { PEM_write_X509(f, made.get()); });
        write(key, [&](std::FILE* f) {
            const bool open = wishes.password.empty();
            PEM_write_PrivateKey(
                f, pair.get(), open ? nullptr : EVP_aes_256_cbc(),
                open ? nullptr : reinterpret_cast<const unsigned char*>(wishes.password.data()),
                static_cast<int>(wishes.password.size()), nullptr, nullptr
            );
        });
    }

    std::string certificate;
    std::string key;
};

}  // namespace pulsewire::testing
