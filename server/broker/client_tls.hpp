#pragma once

// TLS of the adapters whose sockets are Asio's.

#include "common/base/result.hpp"

#include <boost/asio/ssl/context.hpp>

#include <string>

namespace pulsewire::shell {

// For connections to a broker: TLS 1.2 or newer, authorities from `ca_file`, or those of the system where it
// is empty. The error is a sentence for the operator.
result<boost::asio::ssl::context, std::string> client_tls(const std::string& ca_file);

}  // namespace pulsewire::shell
