#pragma once

// libcurl, as everything here uses it that asks another program on the web: what it allocates has owners, and
// an answer is bounded, comes over HTTP, and leads nowhere else.

#include "server/base/freed_by.hpp"

#include <curl/curl.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

namespace pulsewire::shell::curl {

using url_ptr = std::unique_ptr<CURLU, freed_by<curl_url_cleanup>>;
using easy_ptr = std::unique_ptr<CURL, freed_by<curl_easy_cleanup>>;
using multi_ptr = std::unique_ptr<CURLM, freed_by<curl_multi_cleanup>>;
using header_ptr = std::unique_ptr<curl_slist, freed_by<curl_slist_free_all>>;

// Throws std::runtime_error when libcurl cannot be used.
multi_ptr new_multi();

// The parts of an address, read by the same code that later connects: two readers of a URL may see two hosts.
class address {
public:
    explicit address(const std::string& url);
    // Empty when the address cannot be read, or has no such part.
    std::string part(CURLUPart which) const;

private:
    url_ptr parsed_;
};

struct body {
    std::string text;
    std::size_t bytes_max;
};

// No redirect is followed and no file of passwords is read; the transfer fails with CURLE_WRITE_ERROR when
// the answer has more than `into.bytes_max`. `url` is copied, `into` outlives the transfer.
void prepare(CURL* transfer, const std::string& url, std::chrono::milliseconds timeout, body& into);

}  // namespace pulsewire::shell::curl
