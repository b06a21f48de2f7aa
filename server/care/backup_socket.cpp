#include "server/care/backup_socket.hpp"

#include "server/log.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>
#include <utility>

namespace pulsewire::care {

namespace asio = boost::asio;
using local = asio::local::stream_protocol;
using boost::system::error_code;

constexpr const char* checkpoint_name = "backup.part";

class backup_socket::state : public std::enable_shared_from_this<state> {
public:
    state(asio::io_context& control, const std::string& folder, checkpoint make)
        : control_(control),
          checkpoint_(folder + "/" + checkpoint_name),
          socket_(folder + "/" + socket_name),
          make_(std::move(make)),
          acceptor_(control),
          peer_(control) {}

    void open(const std::string& folder) {
        remove_checkpoint();
        std::error_code ignored;
        std::filesystem::remove(socket_, ignored);
        // A path by the folder's descriptor is short however deep the folder is; the address of a socket has
        // room for 107 bytes.
        const int descriptor = ::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
        const std::string path = "/proc/self/fd/" + std::to_string(descriptor) + "/" + socket_name;
        error_code error;
        acceptor_.open(local(), error);
        if (!error) acceptor_.bind(local::endpoint(path), error);
        if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
        if (descriptor >= 0) ::close(descriptor);
        if (error) {
            log::warning(
                "pulsewired backup cannot ask this server for a copy: ", socket_, ": ", error.message()
            );
            return;
        }
        accept();
    }

    void close() {
        closed_ = true;
        error_code ignored;
        acceptor_.close(ignored);
        peer_.close(ignored);
        std::error_code gone;
        std::filesystem::remove(socket_, gone);
        remove_checkpoint();
    }

private:
    // One at a time; others wait in the kernel.
    void accept() {
        acceptor_.async_accept(peer_, [self = shared_from_this()](const error_code& error) {
            if (self->closed_ || error) return;
            self->make_checkpoint();
        });
    }

    void make_checkpoint() {
        make_(checkpoint_, [self = shared_from_this()](std::optional<std::string> fault) {
            asio::post(self->control_, [self, fault = std::move(fault)] {
                // The folder may be another server's by now, which has removed what was left here.
                if (!self->closed_) self->answer(fault);
            });
        });
    }

    void answer(const std::optional<std::string>& fault) {
        line_ = fault ? std::string(failed_word) + *fault : std::string(ready_word) + checkpoint_name;
        line_.push_back('\n');
        if (fault)
            log::error("a copy of the data folder could not be made: ", *fault);
        else
            log::info("a copy of the data folder is being taken");
        asio::async_write(
            peer_, asio::buffer(line_),
            [self = shared_from_this()](const error_code&, std::size_t) { self->wait_for_end(); }
        );
    }

    void wait_for_end() {
        if (closed_) return;
        peer_.async_read_some(
            asio::buffer(&ignored_, 1),
            [self = shared_from_this()](const error_code& error, std::size_t) {
                if (self->closed_) return;
                if (!error) return self->wait_for_end();
                error_code gone;
                self->peer_.close(gone);
                self->remove_checkpoint();
                self->accept();
            }
        );
    }

    void remove_checkpoint() const {
        std::error_code error;
        std::filesystem::remove_all(checkpoint_, error);
        if (error) log::warning("cannot remove ", checkpoint_, ": ", error.message());
    }

    asio::io_context& control_;
    std::string checkpoint_, socket_;
    checkpoint make_;
    local::acceptor acceptor_;
    local::socket peer_;
    std::string line_;
    char ignored_ = 0;
    bool closed_ = false;
};

backup_socket::backup_socket(asio::io_context& control, const std::string& folder, checkpoint make)
    : state_(std::make_shared<state>(control, folder, std::move(make))) {
    state_->open(folder);
}

backup_socket::~backup_socket() {
    state_->close();
}

}  // namespace pulsewire::care
