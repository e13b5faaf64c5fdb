#include "net/serve_process.h"

#include "transport_fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { POLL_US = 10000, N_POLLS = 18000, N_LOG_BYTES = 4096 };

static void execute(const struct veth *v, const char *model_path, const char *shm_name, const char *log_path)
{
    char http_address[64], udp_address[64], xdp_port[16];
    int log = open(log_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    snprintf(http_address, sizeof http_address, VETH_NEAR_IPV4 ":%d", TRANSPORT_HTTP_PORT);
    snprintf(udp_address, sizeof udp_address, "[::]:%d", TRANSPORT_UDP_PORT);
    snprintf(xdp_port, sizeof xdp_port, "%d", TRANSPORT_XDP_PORT);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    veth_enter(v, VETH_NEAR);
    dup2(log, STDERR_FILENO);
    execl(COLLIDE_PROGRAM, "collide", "serve", model_path, "--threads", "1", "--listen", http_address,
          "--xdp", VETH_INTERFACE, "--xdp-port", xdp_port, "--udp", udp_address, "--shm", shm_name, NULL);
    _exit(127);
}

/* What it has said so far. */
static void read_log(const struct serve_process *p, char text[N_LOG_BYTES])
{
    FILE *file = fopen(p->log_path, "r");
    size_t n = file ? fread(text, 1, N_LOG_BYTES - 1, file) : 0;
    text[n] = '\0';
    if (file)
        fclose(file);
}

void serve_process_start(const struct veth *v, const struct scratch *folder, const char *model_path,
                         const char *shm_name, struct serve_process *out)
{
    char log[N_LOG_BYTES] = "";
    scratch_path(folder, "log", out->log_path);
    unlink(out->log_path);
    out->id = fork();
    if (out->id == 0)
        execute(v, model_path, shm_name, out->log_path);
    for (int i = 0; i < N_POLLS && !strstr(log, "ready on "); i++) {
        if (waitpid(out->id, NULL, WNOHANG) != 0)
            fail_msg("serve has ended: %s", log);
        usleep(POLL_US);
        read_log(out, log);
    }
    if (!strstr(log, "ready on "))
        fail_msg("serve is not ready: %s", log);
}

int serve_process_signal(const struct serve_process *p, int signal_number)
{
    int status = -1;
    assert_int_equal(kill(p->id, signal_number), 0);
    assert_int_equal(waitpid(p->id, &status, 0), p->id);
    return status;
}
