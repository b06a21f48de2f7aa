#pragma once

// A real RabbitMQ for the length of a test, on free ports and with its files in a folder of its own.

#include "server/base/freed_by.hpp"
#include "server/testing/certificate.hpp"
#include "server/testing/child_process.hpp"
#include "server/testing/temporary_folder.hpp"
#include "server/testing/text_of_file.hpp"

#include <amqp.h>
#include <amqp_tcp_socket.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace pulsewire::testing {

// Somebody else, who has the whole virtual host.
class rabbitmq_client {
public:
    explicit rabbitmq_client(std::uint16_t port) {
        amqp_socket_t* const socket = amqp_tcp_socket_new(made_.get());
        if (amqp_socket_open(socket, "127.0.0.1", port) != AMQP_STATUS_OK)
            throw std::runtime_error("RabbitMQ does not answer");
        amqp_login(made_.get(), "/", 0, 131'072, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest");
        amqp_channel_open(made_.get(), 1);
        check();
    }

    void make_queue(const std::string& name, const std::string& type) {
        amqp_table_entry_t argument{amqp_cstring_bytes("x-queue-type"), {}};
        argument.value.kind = AMQP_FIELD_KIND_UTF8;
        argument.value.value.bytes = amqp_cstring_bytes(type.c_str());
        amqp_queue_declare(made_.get(), 1, amqp_cstring_bytes(name.c_str()), 0, 1, 0, 0, {1, &argument});
        check();
    }
    void remove_queue(const std::string& name) {
        amqp_queue_delete(made_.get(), 1, amqp_cstring_bytes(name.c_str()), 0, 0);
        check();
    }
    // From now on publish_safely() can be used.
    void ask_for_confirms() {
        amqp_confirm_select(made_.get(), 1);
        check();
    }
    // Whether the server has it; it names the message `id`.
    bool publish_safely(
        const std::string& exchange, const std::string& key, const std::string& value, const std::string& id
    ) {
        amqp_basic_properties_t properties{};
        properties._flags = AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG;
        properties.delivery_mode = AMQP_DELIVERY_PERSISTENT;
        properties.message_id = amqp_cstring_bytes(id.c_str());
        const int sent = amqp_basic_publish(
            made_.get(), 1, amqp_cstring_bytes(exchange.c_str()), amqp_cstring_bytes(key.c_str()), 0, 0,
            &properties, {value.size(), const_cast<char*>(value.data())}
        );
        amqp_frame_t frame{};
        timeval patience{10, 0};
        return sent == AMQP_STATUS_OK &&
               amqp_simple_wait_frame_noblock(made_.get(), &frame, &patience) == AMQP_STATUS_OK &&
               frame.frame_type == AMQP_FRAME_METHOD && frame.payload.method.id == AMQP_BASIC_ACK_METHOD;
    }
    // An exchange by topic, from which the queue has everything.
    void make_exchange(const std::string& name, const std::string& queue) {
        amqp_exchange_declare(
            made_.get(), 1, amqp_cstring_bytes(name.c_str()), amqp_cstring_bytes("topic"), 0, 1, 0, 0, {}
        );
        check();
        amqp_queue_bind(
            made_.get(), 1, amqp_cstring_bytes(queue.c_str()), amqp_cstring_bytes(name.c_str()),
            amqp_cstring_bytes("#"), {}
        );
        check();
    }
    // The messages of the queue, each with a line end.
    std::string take_all(const std::string& queue) {
        std::string all;
        while (amqp_basic_get(made_.get(), 1, amqp_cstring_bytes(queue.c_str()), 1).reply.id ==
               AMQP_BASIC_GET_OK_METHOD) {
            amqp_message_t one{};
            amqp_read_message(made_.get(), 1, &one, 0);
            all.append(static_cast<const char*>(one.body.bytes), one.body.len).append(1, '\n');
            amqp_destroy_message(&one);
        }
        return all;
    }
    void publish(const std::string& queue, const std::string& body) {
        amqp_basic_publish(
            made_.get(), 1, amqp_empty_bytes, amqp_cstring_bytes(queue.c_str()), 0, 0, nullptr,
            amqp_cstring_bytes(body.c_str())
        );
    }

private:
    void check() {
        if (amqp_get_rpc_reply(made_.get()).reply_type != AMQP_RESPONSE_NORMAL)
            throw std::runtime_error("RabbitMQ did not do what was asked");
    }

    std::unique_ptr<amqp_connection_state_t_, freed_by<amqp_destroy_connection>> made_{amqp_new_connection()};
};

class rabbitmq_process {
public:
    rabbitmq_process() : certificate_(folder_.path() + "/server"), other_(folder_.path() + "/other") {
        std::filesystem::create_directories(data());
        std::filesystem::create_directories(folder_.path() + "/log");
        std::ofstream(folder_.path() + "/plugins") << "[].\n";
        std::ofstream(definitions()) << R"({
            "vhosts": [{"name": "/"}],
            "users": [
                {"name": "guest", "password": "guest", "tags": "administrator"},
                {"name": "node", "password": "pw", "tags": ""}],
            "permissions": [
                {"user": "guest", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"},
                {"user": "node", "vhost": "/", "configure": "^pulsewire-", "read": "^pulsewire-",
                 "write": "^(amq\\.default|pulsewire-.*)$"}],
            "policies": [
                {"name": "short", "vhost": "/", "pattern": "^short-", "apply-to": "queues", "priority": 0,
                 "definition": {"max-length-bytes": 1000000, "stream-max-segment-size-bytes": 300000}}]})";
        std::ofstream(folder_.path() + "/rabbitmq.conf")
            << "listeners.tcp.default = " << at() << "\nlisteners.ssl.default = 127.0.0.1:" << tls_port_
            << "\nssl_options.certfile = " << certificate_.certificate
            << "\nssl_options.keyfile = " << certificate_.key
            << "\nssl_options.verify = verify_none\nvm_memory_high_watermark.absolute = 512MB\n"
               "disk_free_limit.absolute = 50MB\nlog.file = false\nlog.console = true\n"
               "log.console.level = warning\nload_definitions = "
            << definitions() << "\n";
        start();
        // A server that is killed before it has written that it has streams at all does not find them again.
        rabbitmq_client(port_).make_queue("first", "stream");
        const std::string names = data() + "/pw@localhost/coordination/pw@localhost/names.dets";
        const bool is_written = eventually([&] {
            return text_of_file(names).find("rabbit_stream_coordinator") != std::string::npos;
        });
        if (!is_written) throw std::runtime_error("RabbitMQ does not write that it has streams");
    }

    std::uint16_t port() const { return port_; }
    std::string at() const { return "127.0.0.1:" + std::to_string(port_); }
    std::uint16_t tls_port() const { return tls_port_; }
    std::string folder() const { return folder_.path(); }
    std::string data() const { return folder_.path() + "/data"; }
    // For localhost, signed by itself; and one that this server does not have.
    const certificate_files& certificate() const { return certificate_; }
    const certificate_files& other_certificate() const { return other_; }

    // Returns when it listens, which it does after its streams are there. The data is what the one before has
    // left.
    void start() {
        start_names();
        process_ = std::make_unique<child_process>(command({programs() + "rabbitmq-server"}), log());
        if (!eventually([this] { return listens(port_); }, limit))
            throw std::runtime_error("RabbitMQ does not start");
    }
    void kill() { process_->kill(); }
    void pause() { process_->signal(SIGSTOP); }
    void resume() { process_->signal(SIGCONT); }

    // rabbitmqctl with these words.
    void operator()(const std::vector<std::string>& words) const { answer(words); }
    // ... and what it prints.
    std::string answer(std::vector<std::string> words) const {
        const std::string into = folder_.path() + "/answer";
        std::filesystem::remove(into);
        words.insert(words.begin(), programs() + "rabbitmqctl");
        if (child_process(command(words), into).wait() != 0)
            throw std::runtime_error("rabbitmqctl " + words[1] + " fails: " + text_of_file(into));
        return text_of_file(into);
    }

private:
    // A busy machine needs ten times as long as a quiet one.
    static constexpr std::chrono::seconds limit{180};

    // The programs in /usr/sbin become another user.
    static std::string programs() { return "/usr/lib/rabbitmq/bin/"; }
    std::string definitions() const { return folder_.path() + "/definitions.json"; }
    std::string log() const { return folder_.path() + "/output"; }
    std::vector<std::string> command(const std::vector<std::string>& words) const {
        const std::string& in = folder_.path();
        std::vector<std::string> all = {
            "env", "HOME=" + in,
            // The script becomes the server instead of starting it.
            "RUNNING_UNDER_SYSTEMD=true", "RABBITMQ_NODENAME=pw@localhost",
            "RABBITMQ_CONFIG_FILE=" + in + "/rabbitmq.conf",
            "RABBITMQ_ENABLED_PLUGINS_FILE=" + in + "/plugins", "RABBITMQ_MNESIA_BASE=" + data(),
            "RABBITMQ_LOG_BASE=" + in + "/log", "RABBITMQ_DIST_PORT=" + std::to_string(nodes_port_),
            "ERL_EPMD_PORT=" + std::to_string(names_port_), "ERL_EPMD_ADDRESS=127.0.0.1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1} +S 2:2"};
        all.insert(all.end(), words.begin(), words.end());
        return all;
    }
    // The server of Erlang's names. Without it the first Erlang starts one, which outlives the test; and one
    // that still knows the name of a server that was killed makes the next one end at once.
    void start_names() {
        names_.reset();
        names_ = std::make_unique<child_process>(
            std::vector<std::string>{"epmd", "-address", "127.0.0.1", "-port", std::to_string(names_port_)},
            log()
        );
        if (!eventually([this] { return listens(names_port_); })) throw std::runtime_error("no epmd");
    }
    static bool listens(std::uint16_t port) {
        const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const bool done = ::connect(probe, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
        ::close(probe);
        return done;
    }

    temporary_folder folder_;
    std::uint16_t port_ = free_port();
    std::uint16_t tls_port_ = free_port();
    std::uint16_t nodes_port_ = free_port();
    std::uint16_t names_port_ = free_port();
    certificate_files certificate_;
    certificate_files other_;
    std::unique_ptr<child_process> names_;
    std::unique_ptr<child_process> process_;
};

// It needs seconds to start, so there is one for all tests, which differ by their prefixes.
inline rabbitmq_process& rabbitmq_of_all_tests() {
    static rabbitmq_process server;
    return server;
}

}  // namespace pulsewire::testing
