#include "server/base/curl.hpp"

#include "server/version.hpp"

#include <mutex>
#include <stdexcept>

namespace pulsewire::shell::curl {
namespace {

std::size_t take(char* data, std::size_t, std::size_t size, void* into) {
    auto& b = *static_cast<body*>(into);
    if (size > b.bytes_max - b.text.size()) return 0;  // ends the transfer with CURLE_WRITE_ERROR
    b.text.append(data, size);
    return size;
}

}  // namespace

multi_ptr new_multi() {
    static std::once_flag once;
    std::call_once(once, [] {
        if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0) throw std::runtime_error("libcurl cannot be used");
    });
    return multi_ptr(curl_multi_init());
}

address::address(const std::string& url) : parsed_(curl_url()) {
    if (curl_url_set(parsed_.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) parsed_.reset();
}

std::string address::part(CURLUPart which) const {
    char* text = nullptr;
    if (!parsed_ || curl_url_get(parsed_.get(), which, &text, 0) != CURLUE_OK) return {};
    std::string owned(text);
    curl_free(text);
    return owned;
}

void prepare(CURL* transfer, const std::string& url, std::chrono::milliseconds timeout, body& into) {
    static const std::string agent = "pulsewire/" + std::string(version);
    curl_easy_setopt(transfer, CURLOPT_URL, url.c_str());
    curl_easy_setopt(transfer, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(transfer, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(transfer, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    curl_easy_setopt(transfer, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
    curl_easy_setopt(transfer, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(transfer, CURLOPT_USERAGENT, agent.c_str());
    curl_easy_setopt(transfer, CURLOPT_WRITEFUNCTION, &take);
    curl_easy_setopt(transfer, CURLOPT_WRITEDATA, &into);
}

}  // namespace pulsewire::shell::curl
