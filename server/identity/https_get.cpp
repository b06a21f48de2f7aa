#include "server/identity/https_get.hpp"

#include "server/base/curl.hpp"
#include "server/base/host_name.hpp"

#include <atomic>
#include <utility>

namespace pulsewire::identity {
namespace {

namespace curl = shell::curl;

bool is_on_this_machine(const curl::address& url) {
    std::string host = url.part(CURLUPART_HOST);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    return host == "localhost" || shell::is_loopback_address(host);
}

}  // namespace

std::string fault_of_key_address(const std::string& url) {
    const curl::address parsed(url);
    const std::string scheme = parsed.part(CURLUPART_SCHEME);
    if (scheme != "https" && scheme != "http")
        return "must be the https address of the issuer's JWKS, for example "
               "https://login.example.com/.well-known/jwks.json";
    if (!parsed.part(CURLUPART_USER).empty() || !parsed.part(CURLUPART_PASSWORD).empty())
        return "must have no user name and no password";
    if (scheme == "http" && !is_on_this_machine(parsed))
        return "must begin with https://: with http everybody on the way could put own keys there (http is "
               "taken for this machine alone)";
    return {};
}

struct https_get::parts {
    curl::multi_ptr multi = curl::new_multi();
    std::atomic<bool> stopped = false;
};

https_get::https_get() : parts_(std::make_unique<parts>()) {}
https_get::~https_get() = default;

void https_get::stop() {
    parts_->stopped = true;
    curl_multi_wakeup(parts_->multi.get());
}

result<std::string, std::string> https_get::fetch(const std::string& url, std::size_t bytes_max) {
    const curl::easy_ptr easy(curl_easy_init());
    const curl::header_ptr headers(
        curl_slist_append(nullptr, "Accept: application/jwk-set+json, application/json")
    );
    if (!easy || !headers) return failure{std::string("libcurl cannot be used")};
    CURL* const e = easy.get();
    const bool local = is_on_this_machine(curl::address(url));
    curl::body answer{{}, bytes_max};
    curl::prepare(e, url, timeout, answer);
    if (!local) curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, headers.get());
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
