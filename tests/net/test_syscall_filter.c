#include "net/syscall_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* The status of a child that acts behind the filter. It cannot become unfiltered again. */
static int status_behind(enum syscall_need needs, int (*act)(void))
{
    int status = -1;
    pid_t child = fork();
    if (child == 0)
        _exit(syscall_filter_install(needs, NULL) == COLLIDE_OK ? act() : 100);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void assert_passes(enum syscall_need needs, int (*act)(void))
{
    int status = status_behind(needs, act);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void assert_ends(int (*act)(void))
{
    int status = status_behind(NEEDS_NOTHING_MORE, act);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSYS);
}

static void *do_nothing(void *context)
{
    return context;
}

static int serve_on(void)
{
    pthread_t thread;
    char bytes[16];
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, bytes, sizeof bytes) <= 0 || close(fd) != 0)
        return 1;
    void *memory = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory, 4096, PROT_READ) != 0 || munmap(memory, 1 << 20) != 0)
        return 2;
    if (pthread_create(&thread, NULL, do_nothing, NULL) != 0 || pthread_join(thread, NULL) != 0)
        return 3;
    free(malloc(64 << 20));
    int ends[2], n = -1;
    if (pipe2(ends, O_CLOEXEC) != 0 || write(ends[1], "12", 2) != 2 || ioctl(ends[0], FIONREAD, &n) != 0 ||
        n != 2)
        return 4;
    return tgkill(getpid(), gettid(), 0) == 0 ? 0 : 5;
}

static void what_serving_takes_goes_on(void **state)
{
    (void)state;
    assert_passes(NEEDS_NOTHING_MORE, serve_on);
}

static int try_to_reach_out(void)
{
    if (socket(AF_INET, SOCK_STREAM, 0) >= 0 || errno != EPERM)
        return 1;
    if (fork() >= 0 || errno != EPERM)
        return 2;
    if (mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
            MAP_FAILED ||
        errno != EPERM)
        return 3;
    void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mprotect(memory, 4096, PROT_READ | PROT_EXEC) == 0 || errno != EPERM)
        return 4;
    return 0;
}

static int try_to_signal(void)
{
    if (kill(getppid(), 0) == 0 || errno != EPERM)
        return 1;
    if (kill(getpid(), 0) == 0 || errno != EPERM)
        return 2;
    if (tgkill(getppid(), getppid(), 0) == 0 || errno != EPERM)
        return 3;
    return 0;
}

/* The kernel itself says ENOTTY of such descriptors. */
static int try_to_type(void)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    const unsigned long requests[] = {TIOCSTI, TIOCLINUX, 1UL << 32 | TIOCSTI};
    char byte = 2;
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
        if (syscall(SYS_ioctl, fd, requests[i], &byte) == 0 || errno != EPERM)
            return 1 + (int)i;
    return 0;
}

static int try_a_memory_file(void)
{
    return memfd_create("file", MFD_CLOEXEC) >= 0 ? 0 : errno == EPERM ? 1 : 2;
}

static void sockets_processes_and_code_that_is_written_are_refused(void **state)
{
    (void)state;
    assert_passes(NEEDS_NOTHING_MORE, try_to_reach_out);
}

static void signals_to_other_processes_are_refused(void **state)
{
    (void)state;
    assert_passes(NEEDS_NOTHING_MORE, try_to_signal);
}

static void typing_for_the_user_of_a_terminal_is_refused(void **state)
{
    (void)state;
    assert_passes(NEEDS_NOTHING_MORE, try_to_type);
}

static void memory_files_are_for_those_who_need_them(void **state)
{
    (void)state;
    assert_passes(NEEDS_MEMORY_FILES, try_a_memory_file);
    int status = status_behind(NEEDS_NOTHING_MORE, try_a_memory_file);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
}

static int execute(void)
{
    return execl("/bin/true", "true", NULL);
}

static int trace(void)
{
    return (int)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static int become_root(void)
{
    return setuid(0);
}

static void what_only_an_intruder_tries_ends_the_process(void **state)
{
    (void)state;
    assert_ends(execute);
    assert_ends(trace);
    assert_ends(become_root);
}

static atomic_bool is_filtered;

/* The answer of a thread that was there before the filter. */
static void *try_a_socket_later(void *context)
{
    while (!atomic_load(&is_filtered))
        sched_yield();
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    *(int *)context = fd < 0 ? errno : 0;
    return NULL;
}

static void threads_from_before_are_filtered_too(void **state)
{
    (void)state;
    int status;
    pid_t child = fork();
    if (child == 0) {
        pthread_t thread;
        int failed = 0;
        bool is_fine = pthread_create(&thread, NULL, try_a_socket_later, &failed) == 0 &&
                       syscall_filter_install(NEEDS_NOTHING_MORE, NULL) == COLLIDE_OK;
        atomic_store(&is_filtered, true);
        pthread_join(thread, NULL);
        _exit(is_fine && failed == EPERM ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_serving_takes_goes_on),
        cmocka_unit_test(sockets_processes_and_code_that_is_written_are_refused),
        cmocka_unit_test(signals_to_other_processes_are_refused),
        cmocka_unit_test(typing_for_the_user_of_a_terminal_is_refused),
        cmocka_unit_test(memory_files_are_for_those_who_need_them),
        cmocka_unit_test(what_only_an_intruder_tries_ends_the_process),
        cmocka_unit_test(threads_from_before_are_filtered_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
