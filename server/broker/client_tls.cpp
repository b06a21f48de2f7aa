#include "server/broker/client_tls.hpp"

namespace pulsewire::shell {

result<boost::asio::ssl::context, std::string> client_tls(const std::string& ca_file) {
    boost::asio::ssl::context made(boost::asio::ssl::context::tls_client);
    boost::system::error_code error;
    SSL_CTX_set_min_proto_version(made.native_handle(), TLS1_2_VERSION);
    ca_file.empty() ? made.set_default_verify_paths(error) : made.load_verify_file(ca_file, error);
    if (!error) return made;
    return failure(
        "the authorities for the broker's certificate in " +
        (ca_file.empty() ? "the system's files" : ca_file) + " cannot be read (" + error.message() +
        "): they must be certificates in PEM form"
    );
}

}  // namespace pulsewire::shell
