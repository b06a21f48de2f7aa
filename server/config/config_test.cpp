#include "server/config/command_line.hpp"
#include "server/config/config_file.hpp"
#include "server/config/print_config.hpp"
#include "server/config/settings.hpp"
#include "server/testing/temporary_folder.hpp"
#include "server/testing/text_of_file.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>

namespace pulsewire::shell {
namespace {

std::string error_of(std::string_view json) {
    config c;
    try {
        apply_config(json, c);
    } catch (const std::runtime_error& e) {
        return e.what();
    }
    return "none";
}

command_line read(
    std::vector<const char*> flags, std::map<std::string, std::string> env = {}, config defaults = {},
    const std::vector<std::string>& names = {}
) {
    flags.insert(flags.begin(), "pulsewired");
    const auto look_up = [&](const std::string& name) -> std::optional<std::string> {
        const auto found = env.find(name);
        return found == env.end() ? std::nullopt : std::optional(found->second);
    };
    return read_command_line(
        static_cast<int>(flags.size()), flags.data(), look_up, std::move(defaults), names
    );
}

class ConfigFile {
public:
    explicit ConfigFile(const std::string& text) { std::ofstream(path_) << text; }
    const char* path() const { return path_.c_str(); }

private:
    testing::temporary_folder folder_;
    std::string path_ = folder_.path() + "/config.json";
};

TEST(config, a_file_sets_every_setting_by_its_name) {
    config c;
    apply_config(
        R"({
            // comments are welcome
            "port": 9000, "threads": 3, "web_root": "web/dist", "insecure_open_api": true,
            "allowed_origins": ["https://a.example", "https://b.example"],
            "queue_bytes_max": 2097152, "commands_per_second": 0,
            "default_namespace": {"history_count_max": 50},
            "namespaces": {"chat": {"history_age_ms": 1000, "client_publish": false}, "": {"presence": false}}
        })",
        c
    );
    EXPECT_EQ(c.port, 9000);
    EXPECT_EQ(c.threads, 3u);
    EXPECT_EQ(c.web_root, "web/dist");
    EXPECT_TRUE(c.insecure_open_api);
    EXPECT_EQ(c.allowed_origins.size(), 2u);
    EXPECT_EQ(c.shell.queue_bytes_max, 2097152u);
    EXPECT_EQ(c.bounds.commands_per_second, 0u);
    EXPECT_EQ(c.namespaces.at("chat").history_count_max, 50u)
        << "what a namespace does not say is the default's";
    EXPECT_EQ(c.namespaces.at("chat").history_age_ms, 1000u);
    EXPECT_FALSE(c.namespaces.at("chat").client_publish);
    EXPECT_FALSE(c.namespaces.at("").presence);
}

TEST(config, mistakes_are_named_with_their_pointer) {
    EXPECT_EQ(
        error_of(R"({"prot": 1})"),
        "at /prot: there is no setting of this name; did you mean \"port\"? docs/operating.md lists them"
    );
    EXPECT_EQ(error_of(R"({"port": "8080"})"), "at /port: must be a whole number from 0 to 65535");
    EXPECT_EQ(error_of(R"({"port": 65536})"), "at /port: must be a whole number from 0 to 65535");
    EXPECT_EQ(error_of(R"({"port": -1})"), "at /port: must be a whole number from 0 to 65535");
    EXPECT_EQ(error_of(R"({"ping_ms": 1.5})"), "at /ping_ms: must be a whole number from 0 to 4294967295");
    EXPECT_EQ(
        error_of(R"({"ping_ms": 4294967296})"), "at /ping_ms: must be a whole number from 0 to 4294967295"
    );
    EXPECT_EQ(error_of(R"({"web_root": 1})"), "at /web_root: must be a string");
    EXPECT_EQ(error_of(R"({"insecure_open_api": 1})"), "at /insecure_open_api: must be true or false");
    EXPECT_EQ(
        error_of(R"({"allowed_origins": "https://a"})"), "at /allowed_origins: must be an array of strings"
    );
    EXPECT_EQ(error_of(R"({"namespaces": []})"), "at /namespaces: must be an object");
    EXPECT_EQ(error_of(R"({"namespaces": {"chat": 1}})"), "at /namespaces/chat: must be an object");
    EXPECT_TRUE(error_of(R"({"namespaces": {"chat": {"histroy": 1}}})")
                    .starts_with("at /namespaces/chat/histroy: there is no"));
    EXPECT_TRUE(error_of(R"({"namespaces": {"a:b": {}}})").starts_with("at /namespaces/a:b: is not the name")
    );
    EXPECT_EQ(error_of("[]"), "at /: must be an object");
    EXPECT_TRUE(error_of(R"({"port": )").starts_with("not valid JSON near byte"));
    EXPECT_EQ(error_of(std::string(100'000, '[')).substr(0, 14), "not valid JSON");
}

TEST(config, a_mistake_in_a_file_has_its_line_and_what_was_meant) {
    const auto expect = [](const char* text, std::string_view part) {
        const ConfigFile file(text);
        const auto r = read({"--config", file.path()});
        EXPECT_EQ(r.exit_code, 2);
        EXPECT_NE(r.text.find(part), std::string::npos) << r.text;
    };
    expect("{\n  \"port\": 1\n  \"threads\": 2\n}", "(line 3, column ");
    expect("{\"port\": }", "(line 1, column 10)");
    expect(
        "// a comment\n{\n  \"prot\": 1\n}",
        "did you mean \"port\"? docs/operating.md lists them (line 3, column 3)"
    );
    expect("{\n\"port\": \"x\"}", "(line 2, column 1)");
    expect(R"({"history_count_max": 5})", "it belongs into \"default_namespace\"");
    expect(R"({"default_namespace": {"ping_ms": 5}})", "it is a setting of the whole server");
    expect(R"({"namespaces": {"chat": {"histroy_count_max": 5}}})", "did you mean \"history_count_max\"?");
    expect(R"({"forward": [{"name": "out"}]})", "/forward/0/from");
    expect(R"({"forward": [{"from": "orders:**", "value": "all"}]})", "/forward/0/value");
    expect(R"({"forward": [{"too": "x"}]})", "did you mean \"to\"?");
    expect(R"({"namespace": {}})", "did you mean \"namespaces\"?");
    expect(R"({"allow_origins": []})", "did you mean \"allowed_origins\"?");
    expect(R"({"something_else_entirely": 1})", "of this name; docs/operating.md");
}

TEST(config, a_misspelt_flag_is_named_with_what_was_meant) {
    const auto r = read({"--prot", "1", "--threads", "2"});
    EXPECT_EQ(r.exit_code, 2);
    EXPECT_EQ(r.text, "error: there is no flag --prot; did you mean --port?\n");
    EXPECT_NE(
        read({"--allow-origins=https://a"}).text.find("did you mean --allow-origin?"), std::string::npos
    );
    EXPECT_NE(
        read({}, {}, {}, {"PULSEWIRE_PROT"}).warnings.find("did you mean PULSEWIRE_PORT?"), std::string::npos
    );
}

TEST(config, a_senseless_number_of_loops_is_refused_or_said) {
    EXPECT_EQ(read({"--threads", "1000000"}).exit_code, 2);
    EXPECT_NE(read({"--threads", "1000000"}).text.find("threads must be from 0 to 1024"), std::string::npos);
    EXPECT_NE(read({"--threads", "1024"}).warnings.find("more loops than cores"), std::string::npos);
    EXPECT_EQ(read({"--threads", "0"}).warnings, "");
}

TEST(config, it_can_be_checked_without_a_start) {
    const auto right = read({"--check-config", "--port", "1"});
    EXPECT_EQ(right.exit_code, 0);
    EXPECT_EQ(right.text, "the configuration can be used\n");
    EXPECT_EQ(read({"--check-config"}, {{"PULSEWIRE_PORT", "x"}}).exit_code, 2);
    const auto missing = read({"--check-config", "--tls-certificate", "/no/c.pem", "--tls-key", "/no/k.pem"});
    EXPECT_EQ(missing.exit_code, 2);
    EXPECT_NE(missing.text.find("/no/c.pem"), std::string::npos);
}

TEST(config, it_is_printed_as_a_file_that_tells_where_each_value_comes_from) {
    const ConfigFile file(
        R"({"port": 1001, "ping_ms": 25000, "api_key": "a secret", "namespaces": {"chat": {"presence": false}}})"
    );
    const auto r = read(
        {"--print-config", "--config", file.path(), "--allow-origin", "https://a.example"},
        {{"PULSEWIRE_THREADS", "3"}}
    );
    EXPECT_EQ(r.exit_code, 0);
    const auto line_of = [&](const std::string& name) {
        const std::size_t at = r.text.find('"' + name + '"');
        return at == std::string::npos ? "" : r.text.substr(at, r.text.find('\n', at) - at);
    };
    EXPECT_NE(line_of("port").find(std::string("// file ") + file.path()), std::string::npos)
        << line_of("port");
    EXPECT_NE(line_of("ping_ms").find("// file "), std::string::npos) << "though it is the default's value";
    EXPECT_NE(line_of("threads").find("// environment PULSEWIRE_THREADS"), std::string::npos);
    EXPECT_NE(line_of("allowed_origins").find("[\"https://a.example\"],"), std::string::npos);
    EXPECT_NE(line_of("allowed_origins").find("// flag --allow-origin"), std::string::npos);
    EXPECT_NE(line_of("pong_ms").find("// default"), std::string::npos);
    EXPECT_EQ(r.text.find("a secret"), std::string::npos);
    config again;
    apply_config(r.text, again);
    EXPECT_EQ(again.port, 1001);
    EXPECT_EQ(again.threads, 3u);
    EXPECT_FALSE(again.namespaces.at("chat").presence);
}

TEST(config, a_number_too_large_to_be_read_is_a_mistake_like_others) {
    EXPECT_EQ(error_of(R"({"port": 1e999})"), "a number in it is too large to be read");
}

TEST(config, flags_come_before_the_environment_before_the_file_before_defaults) {
    const ConfigFile file(R"({"port": 1001, "threads": 11, "ping_ms": 111, "log_level": "debug"})");
    config defaults;
    defaults.port = 1;
    defaults.threads = 1;
    defaults.bounds.ping_ms = 1;
    defaults.bounds.pong_ms = 1;
    const auto r = read(
        {"--config", file.path(), "--port", "1003"},
        {{"PULSEWIRE_PORT", "1002"},
         {"PULSEWIRE_THREADS", "12"},
         {"PULSEWIRE_ALLOWED_ORIGINS", "https://a, https://b"}},
        defaults
    );
    EXPECT_FALSE(r.exit_code) << r.text;
    EXPECT_EQ(r.settings.port, 1003);
    EXPECT_EQ(r.settings.threads, 12u);
    EXPECT_EQ(r.settings.bounds.ping_ms, 111u);
    EXPECT_EQ(r.settings.bounds.pong_ms, 1u);
    EXPECT_EQ(r.settings.allowed_origins, (std::vector<std::string>{"https://a", "https://b"}));
    const auto by_environment = read({}, {{"PULSEWIRE_CONFIG", file.path()}});
    EXPECT_EQ(by_environment.settings.port, 1001);
}

TEST(config, mistakes_end_with_a_sentence) {
    const auto expect = [](const command_line& r, std::string_view part) {
        EXPECT_EQ(r.exit_code, 2);
        EXPECT_NE(r.text.find(part), std::string::npos) << r.text;
    };
    expect(read({"--port", "http"}), "--port");
    expect(read({"--prot", "1"}), "--prot");
    expect(read({"--config", "/does/not/exist"}), "/does/not/exist cannot be read: No such file");
    expect(read({"--config", "/"}), "/ cannot be read: Is a directory");
    // How the range is written depends on the version of CLI11.
    expect(read({"--port", "65536"}), "--port: Value 65536 not in range");
    expect(read({"--port", "65536"}), "65535");
    expect(read({}, {{"PULSEWIRE_PORT", "http"}}), "PULSEWIRE_PORT must be a whole number");
    expect(read({"--log-level", "loud"}), "log_level");
    expect(read({}, {{"PULSEWIRE_MESSAGE_BYTES_MAX", "10"}}), "message_bytes_max");
    const ConfigFile file(R"({"nonsense": 1})");
    expect(read({"--config", file.path()}), std::string(file.path()) + ", at /nonsense");
}

TEST(config, the_policy_for_slow_consumers_is_named) {
    config c;
    apply_config(
        R"({"default_namespace": {"slow_consumer": "drop_oldest"}, "namespaces": {"ticker": {"slow_consumer": "latest_per_key"}}})",
        c
    );
    EXPECT_EQ(c.default_namespace.slow_consumers, slow_consumer::drop_oldest);
    EXPECT_EQ(c.namespaces.at("ticker").slow_consumers, slow_consumer::latest_per_key);
    EXPECT_EQ(
        error_of(R"({"default_namespace": {"slow_consumer": "drop"}})"),
        "at /default_namespace/slow_consumer: must be disconnect, drop_oldest or latest_per_key"
    );
}

TEST(config, durability_is_named_and_needs_a_folder) {
    config c;
    apply_config(
        R"({"data": "/d", "default_namespace": {"durability": "disk"}, "namespaces": {"chat": {"durability": "memory"}}})",
        c
    );
    EXPECT_EQ(c.default_namespace.keeps, durability::disk);
    EXPECT_EQ(c.namespaces.at("chat").keeps, durability::memory);
    EXPECT_EQ(fault_of(c), "");
    c.data.clear();
    EXPECT_NE(fault_of(c).find("--data"), std::string::npos);
    EXPECT_EQ(
        error_of(R"({"default_namespace": {"durability": "tape"}})"),
        "at /default_namespace/durability: must be auto, memory, disk or broker"
    );
    EXPECT_EQ(read({"--data", "/d"}).settings.data, "/d");
}

TEST(config, a_broker_is_named_for_what_it_keeps) {
    config c;
    apply_config(R"({"namespaces": {"chat": {"durability": "broker"}}})", c);
    EXPECT_NE(fault_of(c).find("--broker"), std::string::npos);
    c.broker = "redis://127.0.0.1:6379";
    EXPECT_EQ(fault_of(c), "");
    c.broker_partitions = 0;
    EXPECT_NE(fault_of(c).find("broker_partitions"), std::string::npos);
    c.broker_partitions = 16;
    c.broker_prefix = "a b";
    EXPECT_NE(fault_of(c).find("broker_prefix"), std::string::npos);
    c.broker_prefix = "two";
    c.bounds.message_bytes_max = 1'000'000;
    EXPECT_NE(fault_of(c).find("message_bytes_max"), std::string::npos);
    EXPECT_EQ(read({"--broker", "nats://127.0.0.1"}).settings.broker, "nats://127.0.0.1");
}

TEST(config, keyed_channels_need_a_bound) {
    config c;
    c.namespaces["ticker"].keyed = true;
    EXPECT_NE(fault_of(c).find("namespace ticker: keyed needs a bound"), std::string::npos) << fault_of(c);
    c.namespaces["ticker"].state_bytes_max = 1'000'000;
    EXPECT_EQ(fault_of(c), "");
}

TEST(config, standby_needs_a_folder_and_hands_nothing_over) {
    config c;
    c.standby = true;
    EXPECT_NE(fault_of(c).find("--data"), std::string::npos);
    c.data = "/data";
    EXPECT_EQ(fault_of(c), "");
    c.shell.drain_handover = true;
    EXPECT_NE(fault_of(c).find("drain_handover"), std::string::npos);
}

TEST(config, an_origin_is_scheme_and_host_as_browsers_send_them) {
    config c;
    c.allowed_origins = {
        "https://app.example.com", "http://localhost:5173",    "capacitor://localhost", "null", "*",
        "https://*.example.com",   "http://*.example.com:8080"};
    EXPECT_EQ(fault_of(c), "");
    for (const char* wrong :
         {"https://app.example.com/", "app.example.com", "https://", "://app", "https://a b", "", "https://*",
          "https://app.*.com", "https://*app.example.com"}) {
        c.allowed_origins = {wrong};
        EXPECT_NE(fault_of(c).find("allowed_origins has \"" + std::string(wrong) + '"'), std::string::npos)
            << wrong;
    }
}

TEST(config, an_origin_that_matches_no_page_is_refused_with_what_to_write) {
    const auto fault = [](const std::string& origin) {
        config c;
        c.allowed_origins = {"https://good.example", origin};
        return fault_of(c);
    };
    for (const char* right :
         {"https://app.example.com:443", "http://app.example.com:80", "https://APP.example.com",
          "chrome-extension://abcdefghijklmnop", "moz-extension://2c127fa4-62c7-7e4f-90e5-472b45eecfdc",
          "tauri://localhost", "app://obsidian.md", "https://[::1]:5173", "https://*.example.com:443"})
        EXPECT_EQ(fault(right), "") << right;
    const std::pair<const char*, const char*> cases[] = {
        {"https://app.example.com/", "write https://app.example.com."},
        {"https://app.example.com/a?b", "write https://app.example.com."},
        {"app.example.com", "write https://app.example.com."},
        {"*.example.com", "write https://*.example.com."},
        {"wss://app.example.com", "write https://app.example.com."},
        {"ws://localhost:5173", "write http://localhost:5173."},
        {"file://", "\"null\""},
        {"https://me@app.example.com", "user"},
        {"https://b\xc3\xbc"
         "cher.example",
         "xn--"},
        {"https://app.example.com:70000", "port"},
        {"https://app.example.com:0443", "port"},
        {"https://app.example.com:x", "port"},
        {"https://app.*.com", "first dot"},
        {"ht*p://app.example.com", "scheme"},
        {"https://a.example,https://b.example", "no browser"},
    };
    for (const auto& [wrong, advice] : cases)
        EXPECT_NE(fault(wrong).find(advice), std::string::npos) << wrong << ": " << fault(wrong);
}

TEST(config, a_base_path_is_one_that_nobody_rewrites) {
    config c;
    for (const char* right : {"", "/realtime", "/a/b-c/v1.2"}) {
        c.base_path = right;
        EXPECT_EQ(fault_of(c), "") << right;
    }
    for (const char* wrong :
         {"/", "realtime", "/realtime/", "//a", "/a//b", "/..", "/a/./b", "/a b", "/a?b", "/%41"}) {
        c.base_path = wrong;
        EXPECT_NE(fault_of(c).find("base_path"), std::string::npos) << wrong;
    }
}

TEST(config, credentials_are_for_listed_pages_alone) {
    config c;
    c.allow_credentials = true;
    c.allowed_origins = {"https://*.example.com"};
    EXPECT_EQ(fault_of(c), "");
    for (const char* anybody : {"*", "null"}) {
        c.allowed_origins = {anybody};
        EXPECT_NE(fault_of(c).find("allow_credentials"), std::string::npos) << anybody;
    }
}

TEST(config, streams_have_a_namespace_that_keeps_them) {
    const auto by_flag = read({"--streams", "stream"});
    ASSERT_FALSE(by_flag.exit_code) << by_flag.text;
    EXPECT_EQ(by_flag.settings.streams, "stream");
    EXPECT_EQ(by_flag.settings.namespaces.at("stream").state_bytes_max, 8u << 20);
    const auto shown = read({"--streams", "stream", "--print-config"});
    EXPECT_NE(shown.text.find(R"("streams": "stream")"), std::string::npos) << shown.text;
    EXPECT_EQ(read({"--streams", "a:b"}).exit_code, 2);

    config c;
    c.streams = "log";
    c.namespaces["log"].history_age_ms = 1;
    EXPECT_NE(fault_of(c).find("\"log\": {\"state_bytes_max\""), std::string::npos) << fault_of(c);
    c.namespaces["log"].state_bytes_max = 1'000;
    add_stream_namespace(c);
    EXPECT_EQ(fault_of(c), "");
    EXPECT_EQ(c.namespaces["log"].state_bytes_max, 1'000u);
}

TEST(config, the_folder_of_files_is_there) {
    config c;
    c.web_root = "/";
    EXPECT_EQ(fault_of(c), "");
    const ConfigFile file("{}");
    for (const std::string& wrong : {std::string("/does/not/exist"), std::string(file.path())}) {
        c.web_root = wrong;
        EXPECT_NE(fault_of(c).find("web_root is " + wrong), std::string::npos);
    }
}

TEST(config, tls_needs_both_files) {
    EXPECT_FALSE(read({"--tls-certificate", "c.pem", "--tls-key", "k.pem"}).exit_code);
    const auto without_key = read({"--tls-certificate", "c.pem"});
    EXPECT_EQ(without_key.exit_code, 2);
    EXPECT_NE(without_key.text.find("only tls_certificate is set"), std::string::npos) << without_key.text;
    const auto without_certificate = read({}, {{"PULSEWIRE_TLS_KEY", "k.pem"}});
    EXPECT_EQ(without_certificate.exit_code, 2);
    EXPECT_NE(without_certificate.text.find("only tls_key is set"), std::string::npos);
}

constexpr const char* key = "0123456789abcdef";

TEST(config, a_public_address_where_clients_are_let_in_needs_a_word_for_it) {
    const auto refused = read({"--address", "0.0.0.0", "--api-key", key});
    EXPECT_EQ(refused.exit_code, 2);
    EXPECT_NE(refused.text.find("--insecure-open-clients"), std::string::npos) << refused.text;
    EXPECT_FALSE(read({"--address", "0.0.0.0", "--api-key", key, "--insecure-open-clients"}).exit_code);
    EXPECT_FALSE(read({"--address", "0.0.0.0", "--api-key", key, "--insecure-open-api"}).exit_code);
    EXPECT_EQ(read({"--address", "0.0.0.0", "--insecure-open-clients"}).exit_code, 2)
        << "the API is open, too";
    EXPECT_FALSE(read({"--address", "127.0.0.1", "--api-key", key}).exit_code);
}

TEST(config, a_key_on_a_public_address_is_long) {
    const auto refused = read({"--address", "0.0.0.0", "--api-key", "k", "--insecure-open-clients"});
    EXPECT_EQ(refused.exit_code, 2);
    EXPECT_NE(refused.text.find("api_key is a key of 1 characters"), std::string::npos) << refused.text;
    EXPECT_FALSE(read({"--api-key", "k"}).exit_code) << "on loopback it is nobody else's business";
}

TEST(config, keys_may_stand_in_a_file) {
    const ConfigFile file("backend 0123456789abcdef\n");
    EXPECT_FALSE(read({"--address", "::", "--api-key-file", file.path(), "--insecure-open-clients"}).exit_code
    );
    const auto refused = read({"--api-key-file", "/does/not/exist"});
    EXPECT_EQ(refused.exit_code, 2);
    EXPECT_NE(refused.text.find("api_key_file /does/not/exist cannot be read"), std::string::npos);
}

TEST(config, hosts_and_proxies_are_checked) {
    config c;
    c.allowed_hosts = {"rt.example.com", "*.example.com:8443", "[2001:db8::1]", "*"};
    c.trusted_proxies = {"10.0.0.0/8", "::1"};
    EXPECT_EQ(fault_of(c), "");
    for (const char* wrong : {"https://rt.example.com", "rt.example.com/", "", "*."}) {
        c.allowed_hosts = {wrong};
        EXPECT_NE(fault_of(c).find("allowed_hosts has \"" + std::string(wrong) + '"'), std::string::npos)
            << wrong;
    }
    c.allowed_hosts.clear();
    for (const char* wrong : {"localhost", "10.0.0.0/33", "nginx", ""}) {
        c.trusted_proxies = {wrong};
        EXPECT_NE(fault_of(c).find("trusted_proxies has"), std::string::npos) << wrong;
    }
}

TEST(config, a_misspelt_variable_is_named) {
    const char* argv[] = {"pulsewired"};
    const auto none = [](const std::string&) { return std::optional<std::string>(); };
    const auto r = read_command_line(
        1, argv, none, {}, {"PULSEWIRE_QUEU_BYTES_MAX", "PULSEWIRE_PORT", "PULSEWIRE_CONFIG", "PATH"}
    );
    EXPECT_FALSE(r.exit_code);
    EXPECT_NE(r.warnings.find("PULSEWIRE_QUEU_BYTES_MAX is no setting"), std::string::npos);
    EXPECT_EQ(std::count(r.warnings.begin(), r.warnings.end(), '\n'), 1);
}

TEST(config, more_threads_than_a_machine_could_use_are_a_mistake) {
    EXPECT_EQ(read({"--threads", "1000000"}).exit_code, 2);
    EXPECT_FALSE(read({"--threads", "1024"}).exit_code);
}

TEST(config, a_public_address_needs_a_key) {
    const auto refused = read({"--address", "0.0.0.0"});
    EXPECT_EQ(refused.exit_code, 2);
    EXPECT_NE(refused.text.find("--api-key"), std::string::npos) << refused.text;
    EXPECT_NE(refused.text.find("--insecure-open-api"), std::string::npos);
    EXPECT_FALSE(read({"--address", "0.0.0.0", "--api-key", key, "--insecure-open-clients"}).exit_code);
    EXPECT_FALSE(read({"--address", "0.0.0.0", "--insecure-open-api"}).exit_code);
    EXPECT_FALSE(read({"--address", "::1"}).exit_code);
    EXPECT_FALSE(read({"--address", "127.0.0.2"}).exit_code);
    EXPECT_EQ(read({"--address", "::"}).exit_code, 2);
}

TEST(config, help_and_version_say_so_and_end_well) {
    const auto help = read({"--help"});
    EXPECT_EQ(help.exit_code, 0);
    for (const char* flag :
         {"--port",
          "--address",
          "--threads",
          "--tls-certificate",
          "--tls-key",
          "--web-root",
          "--data",
          "--config",
          "--check-config",
          "--print-config",
          "--base-path",
          "--api-key",
          "--allow-origin",
          "--log-level",
          "--log-format",
          "--shutdown-timeout",
          "--insecure-open-api",
          "--print-typescript",
          "--version",
          "PULSEWIRE_"})
        EXPECT_NE(help.text.find(flag), std::string::npos) << flag;
    const auto version = read({"--version"});
    EXPECT_EQ(version.exit_code, 0);
    EXPECT_TRUE(version.text.starts_with("pulsewire 0.")) << version.text;
}

// The documentation names every setting with the default that the code has.
TEST(config, every_setting_is_documented) {
    const std::string text = testing::text_of_file("docs/operating.md");
    config c;
    const auto has_row = [&](const setting& s) {
        const std::string value = text_of(s);
        const std::string row =
            "| `" + std::string(s.name) + "` | " + (value.empty() ? "" : "`" + value + "` ") + "|";
        EXPECT_NE(text.find(row), std::string::npos) << "docs/operating.md lacks the row " << row;
    };
    for (const setting& s : settings_of(c)) has_row(s);
    for (const setting& s : settings_of(c.default_namespace)) has_row(s);
}

TEST(config, a_file_has_keys_that_are_for_some_channels_only) {
    config c;
    apply_config(
        R"({"api_keys": [{"name": "ci", "key": "secret-one", "allow": {"news:**": ["publish"]}},
                         {"name": "all", "key": "secret-two"}]})",
        c
    );
    ASSERT_EQ(c.api_keys.size(), 2u);
    EXPECT_EQ(c.api_keys[0].name, "ci");
    ASSERT_TRUE(c.api_keys[0].allow);
    EXPECT_EQ(c.api_keys[0].allow->on("news:1", {}), operations(operation::publish));
    EXPECT_FALSE(c.api_keys[1].allow) << "for everything";
    EXPECT_EQ(fault_of(c), "");
    const std::string printed = print_config(c, {});
    EXPECT_EQ(printed.find("secret-"), std::string::npos) << printed;
    EXPECT_NE(printed.find("\"api_keys\" has 2 keys"), std::string::npos) << printed;

    const auto fault_in = [](const std::string& key) {
        return error_of(R"({"api_keys": [{"name": "ci", "key": "secret", )" + key + "}]}");
    };
    EXPECT_NE(fault_in(R"("allow": {"news": ["read"]})").find("at /api_keys/0/allow"), std::string::npos);
    EXPECT_NE(fault_in(R"("allow": ["publish"])").find("at /api_keys/0/allow"), std::string::npos);
    EXPECT_NE(fault_in(R"("alow": {})").find("did you mean \"allow\"?"), std::string::npos);
    EXPECT_NE(error_of(R"({"api_keys": {}})").find("at /api_keys"), std::string::npos);
    c.api_keys[1].name.clear();
    EXPECT_NE(fault_of(c).find("api_keys[1] has no name"), std::string::npos) << fault_of(c);
}

}  // namespace
}  // namespace pulsewire::shell
