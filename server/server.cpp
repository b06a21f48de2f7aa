#include "server/server.hpp"

#include "common/protocol/names.hpp"
#include "server/app/application.hpp"
#include "server/auth/url_observer.hpp"
#include "server/broker/make_broker.hpp"
#include "server/care/backup_socket.hpp"
#include "server/config/message_types.hpp"
#include "server/config/reload.hpp"
#include "server/config/settings.hpp"
#include "server/endpoint/welcome.hpp"
#include "server/feed/feeds.hpp"
#include "server/forward/forwards.hpp"
#include "server/log.hpp"
#include "server/out_of_memory.hpp"
#include "server/shard/node.hpp"
#include "server/start_lines.hpp"
#include "server/supervision.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <sys/stat.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <stdexcept>

namespace pulsewire {

namespace asio = boost::asio;

namespace {

// The interval at which a standby server checks whether the data folder is free.
constexpr auto standby_poll = std::chrono::milliseconds(20);

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text.append(text.empty() ? "" : ", ").append(name);
    return text;
}

config gathered(config c) {
    shell::gather_issuers(c);
    shell::add_stream_namespace(c);
    return c;
}

constexpr const char* certificate_and_key = "The certificate and the key that were read before";

}  // namespace

// Belongs to the thread that calls run(): waits for the end of the server and carries it out.
struct server::parts {
    explicit parts(config c)
        : settings(gathered(std::move(c))),
          changing(settings),
          application(settings),
          supervisor(control, settings.handle_signals ? wishes_of_environment() : supervisor_wishes()),
          signals(control),
          drain_wait(control),
          deadline(control) {}

    // False when the server was stopped while it waited.
    bool wait_for_folder() {
        if (node->take_folder()) return true;
        if (!settings.standby) {
            throw std::runtime_error(
                "the data folder " + settings.data +
                " cannot be used. Another server uses this folder: each needs one of its own, or waits for "
                "it "
                "with --standby."
            );
        }
        log::info(
            "standing by: another server uses the data folder ", settings.data,
            "; this one listens when that one has let go of it"
        );
        supervisor.stands_by();
        auto waiting = asio::make_work_guard(control);
        do {
            control.run_for(standby_poll);
            if (ending) return false;
        } while (!node->take_folder());
        waiting.reset();
        control.restart();  // it stopped when it ran out of work
        log::info("the data folder ", settings.data, " is free: taking over");
        supervisor.is_busy();
        return true;
    }

    void watch_signals() {
        signals.add(SIGINT);
        signals.add(SIGTERM);
        signals.add(SIGHUP);
        signals.async_wait([this](const boost::system::error_code& error, int signal) {
            if (error) return;
            if (signal == SIGHUP) {
                watch_signals();
                return reload();
            }
            if (ending) std::_Exit(128 + signal);
            log::info("signal ", signal, ": ending; once more ends at once");
            watch_signals();
            begin_end();
        });
    }

    // A file that cannot be read again leaves in use what was read before, and the others are read.
    void reload() {
        // A standby server reads the files when it takes over.
        if (!serving || ending) return;
        reload_settings();
        const auto again = [&](bool has_any, const char* stays, void (shell::node::*read)()) {
            if (!has_any) return;
            try {
                ((*node).*read)();
            } catch (const std::runtime_error& e) {
                log::warning(e.what(), ". ", stays, " stay in use.");
            }
        };
        again(has_tls(), certificate_and_key, &shell::node::reload_tls);
        again(
            node->has_issuer_files(), "The issuers' keys that were read before", &shell::node::reload_issuers
        );
        again(node->has_type_files(), "The schemas that were read before", &shell::node::reload_types);
        node->audit_act("reload");
    }

    // What flags, environment and config file say now. A fault leaves everything as it was.
    void reload_settings() {
        try {
            shell::reload_outcome outcome{changing, {}, false, {}};
            const auto again = shell::read_command_line_again();
            if (again) outcome = shell::reload(changing, again->before, again->now);
            node->reload_settings(outcome.settings);
            if (outcome.namespaces_changed) node->reload_namespaces(outcome.settings);
            changing = std::move(outcome.settings);
            log::set_level(changing.log_level);
            if (again) shell::remember_as_read(again->now);
            if (!outcome.changed.empty())
                log::info("new values hold for ", joined(outcome.changed));
            else if (again)
                log::info("the configuration was read again");
            if (!outcome.need_restart.empty())
                log::warning(
                    joined(outcome.need_restart),
                    " changed, too; the new values hold after a restart and the old ones until then"
                );
        } catch (const std::runtime_error& e) {
            log::warning(e.what(), ". The settings and API keys that were read before stay in use.");
        }
    }

    bool has_tls() const { return !settings.tls_certificate.empty(); }

    void reload_tls() {
        if (!serving || ending || !has_tls()) return;
        try {
            node->reload_tls();
        } catch (const std::runtime_error& e) {
            log::warning(e.what(), ". ", certificate_and_key, " stay in use.");
        }
    }

    void begin_end() {
        if (ending) return;
        ending = true;
        supervisor.ends();
        if (!serving) return control.stop();
        // Others read on while the clients of this one leave.
        if (feeds) feeds->stop();
        node->audit_act("drain");
        node->announce_drain();
        const auto ms = [](std::uint32_t n) { return std::chrono::milliseconds(n); };
        deadline.expires_after(ms(changing.shell.shutdown_timeout_ms));
        deadline.async_wait([this](const boost::system::error_code& error) {
            if (error) return;
            log::warning("shutdown_timeout_ms has passed; connections that are still open are cut");
            control.stop();
        });
        drain_wait.expires_after(ms(changing.shell.drain_delay_ms));
        drain_wait.async_wait([this](const boost::system::error_code& error) {
            if (error) return;
            node->drain(
                [this] { asio::post(control, [this] { release_log(); }); },
                [this] { asio::post(control, [this] { end_if_done(drained); }); }
            );
        });
    }

    // Released as early as possible, because another server may be waiting for the folder and connections
    // that are slow to end need no log. Before that the handlers run for the ended connections, and the
    // messages that they publish are kept.
    void release_log() {
        application.run_soon([this] {
            node->settle([this] {
                asio::post(control, [this] {
                    backups.reset();
                    // It keeps its places in the folder, too.
                    if (forwards) forwards->stop();
                    node->release_log();
                    end_if_done(released);
                });
            });
        });
    }

    void end_if_done(bool& part) {
        part = true;
        if (drained && released) control.stop();
    }

    // Of the start. Who reads the log as JSON finds nothing else on standard error.
    void report_fault(const char* why) const {
        if (settings.log_format != "json") {
            std::fprintf(stderr, "error: %s\n", why);
            return;
        }
        log::set_format(settings.log_format);
        log::error(why);
        log::flush();
    }

    // The broker connects to nothing before the node asks for it.
    void use_broker() {
        if (settings.broker.empty()) return;
        shell::broker_options options;
        options.url = settings.broker;
        options.prefix = settings.broker_prefix;
        options.wait_replicas = settings.broker_replicas;
        options.tls_ca_file = settings.broker_ca_file;
        auto made = shell::make_broker(options, [this](std::span<cluster::from_broker> values) {
            node->from_broker(values);
        });
        if (!made) throw std::runtime_error(made.error());
        broker = std::move(*made);
        node->use_broker([this](cluster::to_broker&& value) { broker->post(std::move(value)); });
    }

    void use_feeds() {
        if (settings.consume.empty()) return;
        auto made = shell::feed::feeds::make(settings);
        if (!made) throw std::runtime_error(made.error());
        feeds = std::move(*made);
        node->use_feeds(feeds->counters());
    }

    void use_forwards() {
        if (settings.forward.empty()) return;
        auto made = shell::forward::forwards::make(settings);
        if (!made) throw std::runtime_error(made.error());
        forwards = std::move(*made);
        node->use_forwards(forwards->for_node(*node));
    }

    // Once it serves: before, it is busy with its data folder.
    void offer_backups() {
        if (settings.data.empty()) return;
        backups.emplace(
            control, settings.data,
            [this](std::string folder, care::backup_socket::outcome done) {
                node->checkpoint(std::move(folder), std::move(done));
            }
        );
    }

    void stop_threads() {
        backups.reset();
        if (asker) asker->stop();
        if (feeds) feeds->stop();
        if (forwards) forwards->stop();
        if (node) node->stop();
        // Its thread reports to the node, and the node's threads post to it: they have ended.
        broker.reset();
        application.stop();
    }

    // Returns the exit code.
    int end() {
        stop_threads();
        log::info("ended");
        log::flush();
        return 0;
    }

    config settings;  // as at the start
    config changing;  // the same with what was read again since
    shell::application application;
    std::optional<permission::url_observer> asker;
    std::optional<shell::node> node;
    std::unique_ptr<shell::broker> broker;      // null: without
    std::unique_ptr<shell::feed::feeds> feeds;  // null: without
    std::unique_ptr<shell::forward::forwards> forwards;
    asio::io_context control{1};
    std::optional<care::backup_socket> backups;  // without a data folder: none
    supervision supervisor;
    asio::signal_set signals;
    asio::steady_timer drain_wait;
    asio::steady_timer deadline;
    bool serving = false;
    bool ending = false;
    bool released = false;
    bool drained = false;
};

server::server(config settings) : parts_(std::make_unique<parts>(std::move(settings))) {}

server::~server() {
    parts_->stop_threads();
}

server& server::on_connect(std::function<void(connection&)> handler) {
    parts_->application.registered().on_connect.push_back(std::move(handler));
    return *this;
}

server& server::on_disconnect(std::function<void(connection&)> handler) {
    parts_->application.registered().on_disconnect.push_back(std::move(handler));
    return *this;
}

server& server::on_subscribe(std::function<void(subscription_event&)> handler) {
    return on_subscribe({}, std::move(handler));
}

server& server::on_subscribe(std::string prefix, std::function<void(subscription_event&)> handler) {
    parts_->application.registered().on_subscribe.push_back({std::move(prefix), std::move(handler)});
    return *this;
}

server& server::authorize(
    std::string prefix, operations what, std::function<authorization(const authorization_request&)> handler
) {
    parts_->application.registered().authorizes.push_back({std::move(prefix), what, std::move(handler)});
    return *this;
}

void server::add_publish_handler(std::string_view type, std::string prefix, shell::publish_handler handler) {
    auto& of_type = parts_->application.registered().publishes[std::string(type)];
    of_type.push_back({std::move(prefix), std::move(handler)});
}

void server::add_request_handler(std::string_view type, shell::request_handler handler) {
    parts_->application.registered().requests[std::string(type)] = std::move(handler);
}

void server::publish_payload(
    std::string channel, std::string_view type, std::string payload, keeping k, std::string conflate,
    bool binary
) {
    if (!is_channel(channel)) throw std::invalid_argument("not a channel's name: " + log::printable(channel));
    if (!conflate.empty() && !is_key(conflate))
        throw std::invalid_argument("not a key to conflate by: " + log::printable(conflate));
    parts_->application.publish(
        std::move(channel), std::string(type), std::move(payload), k == keeping::transient,
        std::move(conflate), binary
    );
}

void server::publish_bytes(
    std::string channel, std::string_view type, std::span<const std::byte> bytes, keeping k,
    std::string conflate
) {
    if (!is_type(type)) throw std::invalid_argument("not the name of a type: " + log::printable(type));
    publish_payload(
        std::move(channel), type, std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()), k,
        std::move(conflate), true
    );
}

server& server::on_bytes(std::string_view type, bytes_handler handler, std::string prefix) {
    if (!is_type(type)) throw std::invalid_argument("not the name of a type: " + log::printable(type));
    types_.bytes(type);
    schemas_.bytes(type);
    add_publish_handler(
        type, std::move(prefix),
        [handler = std::move(handler)](shell::payload_view payload, publish_context& c) {
            auto wrong = payload.unless(true, c.type());
            if (!wrong) handler(payload.bytes(), c);
            return wrong;
        }
    );
    return *this;
}

server& server::handle_bytes(
    std::string_view type, std::function<bytes_answer(std::span<const std::byte>, request_context&)> handler
) {
    if (!is_type(type)) throw std::invalid_argument("not the name of a type: " + log::printable(type));
    add_request_handler(
        type,
        [handler = std::move(handler), type = std::string(type)](
            shell::payload_view payload, request_context& c
        ) -> shell::request_outcome {
            if (auto wrong = payload.unless(true, type)) return *wrong;
            bytes_answer given = handler(payload.bytes(), c);
            if (!given) return std::move(given).error();
            return shell::answer_payload{
                std::string(reinterpret_cast<const char*>(given->data()), given->size()), true};
        }
    );
    return *this;
}

server::timer_id server::every(std::chrono::milliseconds interval, std::function<void()> what) {
    if (interval.count() <= 0) throw std::invalid_argument("a timer's interval must be longer than nothing");
    return parts_->application.add_timer(interval, interval, std::move(what));
}

server::timer_id server::after(std::chrono::milliseconds delay, std::function<void()> what) {
    return parts_->application.add_timer(delay, std::chrono::milliseconds(0), std::move(what));
}

void server::cancel(timer_id id) {
    parts_->application.cancel_timer(id);
}

void server::run_soon(std::function<void()> what) {
    parts_->application.run_soon(std::move(what));
}

void server::start() {
    if (parts_->serving) return;
    if (const std::string fault = shell::fault_of(parts_->settings); !fault.empty())
        throw std::runtime_error(fault);
    log::set_format(parts_->settings.log_format);
    log::set_level(parts_->settings.log_level);
    std::signal(SIGPIPE, SIG_IGN);
    // RocksDB makes its files at any time and on any thread, and asks for no mode of its own.
    if (!parts_->settings.data.empty()) ::umask(S_IRWXG | S_IRWXO);
    if (parts_->settings.handle_signals) parts_->watch_signals();
    std::vector<shell::observer_port*> observers{&parts_->application};
    if (permission::url_observer::is_needed(parts_->settings))
        observers.push_back(&parts_->asker.emplace(parts_->settings));
    parts_->node.emplace(parts_->settings, std::move(observers), shell::http_welcome());
    parts_->node->check_port();
    parts_->node->check_tls();
    parts_->use_broker();
    parts_->use_feeds();
    parts_->use_forwards();
    if (!parts_->wait_for_folder()) throw std::runtime_error("ended before it served");
    parts_->node->start();
    parts_->serving = true;
    parts_->application.start(*parts_->node);
    if (parts_->feeds) parts_->feeds->start(*parts_->node);
    if (parts_->forwards) parts_->forwards->start(*parts_->node);
    if (parts_->asker)
        parts_->asker->start([&home = *parts_->node](hub::authorized&& word) {
            const hub::shard_index to = word.to.shard;
            std::vector<hub::shard_message> one;
            one.emplace_back(hub::to_session(std::move(word)));
            home.post(to, std::move(one));
        });
    if (parts_->settings.print_start) shell::print_start(*parts_->node);
    parts_->offer_backups();
    parts_->supervisor.serves(
        "serving on port " + std::to_string(port()),
        [&home = *parts_->node](std::function<void()> answered) { home.ask_loops(std::move(answered)); }
    );
}

std::uint16_t server::port() const {
    return parts_->node->port();
}

int server::run() {
    end_process_without_memory();
    if (parts_->settings.print_typescript) return print_typescript();
    if (parts_->settings.print_schemas) return std::fputs(schemas().c_str(), stdout) < 0 ? 1 : 0;
    try {
        start();
    } catch (const std::runtime_error& e) {
        if (parts_->ending) return parts_->end();
        parts_->report_fault(e.what());
        parts_->stop_threads();
        return 1;
    }
    const auto forever = asio::make_work_guard(parts_->control);
    parts_->control.run();
    return parts_->end();
}

void server::reload() {
    asio::post(parts_->control, [this] { parts_->reload(); });
}

void server::reload_tls() {
    asio::post(parts_->control, [this] { parts_->reload_tls(); });
}

void server::stop() {
    asio::post(parts_->control, [this] { parts_->begin_end(); });
}

result<std::string, typescript_error> server::typescript() const {
    typescript_writer all = types_;
    shell::add_types(all, parts_->settings);
    return all.str();
}

int server::print_typescript() const {
    const auto module = typescript();
    if (!module) {
        std::fprintf(stderr, "error: %s\n", module.error().message().c_str());
        return 1;
    }
    std::fputs(module->c_str(), stdout);
    return 0;
}

}  // namespace pulsewire
