#include "server/identity/https_get.hpp"

#include "server/base/host_name.hpp"
#include "server/identity/openssl.hpp"
#include "server/version.hpp"

#include <curl/curl.h>

#include <atomic>
#include <mutex>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace pulsewire::identity {
namespace {

using url_ptr = std::unique_ptr<CURLU, freed_by<curl_url_cleanup>>;
using easy_ptr = std::unique_ptr<CURL, freed_by<curl_easy_cleanup>>;
using multi_ptr = std::unique_ptr<CURLM, freed_by<curl_multi_cleanup>>;
using header_ptr = std::unique_ptr<curl_slist, freed_by<curl_slist_free_all>>;

std::string part_of(const url_ptr& url, CURLUPart part) {
    char* text = nullptr;
    if (curl_url_get(url.get(), part, &text, 0) != CURLUE_OK) return {};
    std::string owned(text);
    curl_free(text);
    return owned;
}

// Read by the same code that later connects: two readers of a URL may see two hosts.
bool is_on_this_machine(const std::string& url) {
    const url_ptr parsed(curl_url());
    if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) return false;
    std::string host = part_of(parsed, CURLUPART_HOST);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    return host == "localhost" || shell::is_loopback_address(host);
}

struct body {
    std::string text;
    std::size_t bytes_max;
};

std::size_t take(char* data, std::size_t, std::size_t size, void* into) {
    auto& b = *static_cast<body*>(into);
    if (size > b.bytes_max - b.text.size()) return 0;  // ends the transfer with CURLE_WRITE_ERROR
    b.text.append(data, size);
    return size;
}

void initialise_once() {
    static std::once_flag once;
    std::call_once(once, [] {
        if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0) throw std::runtime_error("libcurl cannot be used");
    });
}

}  // namespace

std::string fault_of_key_address(const std::string& url) {
    const url_ptr parsed(curl_url());
    const bool readable = curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) == CURLUE_OK;
    const std::string scheme = readable ? part_of(parsed, CURLUPART_SCHEME) : "";
    if (scheme != "https" && scheme != "http")
        return "must be the https address of the issuer's JWKS, for example "
               "https://login.example.com/.well-known/jwks.json";
    if (!part_of(parsed, CURLUPART_USER).empty() || !part_of(parsed, CURLUPART_PASSWORD).empty())
        return "must have no user name and no password";
    if (scheme == "http" && !is_on_this_machine(url))
        return "must begin with https://: with http everybody on the way could put own keys there (http is "
               "taken for this machine alone)";
    return {};
}

struct https_get::parts {
    multi_ptr multi{curl_multi_init()};
    std::atomic<bool> stopped = false;
};

https_get::https_get() {
    initialise_once();
    parts_ = std::make_unique<parts>();
}
https_get::~https_get() = default;

void https_get::stop() {
    parts_->stopped = true;
    curl_multi_wakeup(parts_->multi.get());
}

result<std::string, std::string> https_get::fetch(const std::string& url, std::size_t bytes_max) {
    const easy_ptr easy(curl_easy_init());
    const header_ptr headers(curl_slist_append(nullptr, "Accept: application/jwk-set+json, application/json")
    );
    if (!easy || !headers) return failure{std::string("libcurl cannot be used")};
    CURL* const e = easy.get();
    const bool local = is_on_this_machine(url);
    body answer{{}, bytes_max};
    std::string agent = "pulsewire/" + std::string(version);
    curl_easy_setopt(e, CURLOPT_URL, url.c_str());
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, local ? "http,https" : "https");
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(e, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(e, CURLOPT_USERAGENT, agent.c_str());
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, &take);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, &answer);
    if (local) curl_easy_setopt(e, CURLOPT_PROXY, "");

    CURLM* const multi = parts_->multi.get();
    curl_multi_add_handle(multi, e);
    int running = 1;
    while (running != 0 && !parts_->stopped) {
        if (curl_multi_perform(multi, &running) != CURLM_OK) break;
        constexpr int wait_ms_max = 1'000;  // libcurl's own timers end it earlier
        if (running != 0) curl_multi_poll(multi, nullptr, 0, wait_ms_max, nullptr);
    }
    CURLcode code = CURLE_ABORTED_BY_CALLBACK;
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left))
        if (message->msg == CURLMSG_DONE) code = message->data.result;
    curl_multi_remove_handle(multi, e);
    if (parts_->stopped) return failure{std::string("was stopped")};
    if (code == CURLE_WRITE_ERROR)
        return failure{"answered with more than " + std::to_string(bytes_max) + " bytes"};
    if (code != CURLE_OK) return failure{std::string("could not be asked: ") + curl_easy_strerror(code)};
    long status = 0;
    curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, &status);
    if (status / 100 == 3)
        return failure{
            "answered with a redirect (" + std::to_string(status) +
            "), and none is followed: is this the final address?"};
    if (status != 200) return failure{"answered with the status " + std::to_string(status)};
    return std::move(answer.text);
}

}  // namespace pulsewire::identity
