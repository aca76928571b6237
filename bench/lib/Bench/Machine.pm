package Bench::Machine;

# Copyright (C) The ngx_registry_module authors

# What the figures were taken on: CPU, memory, kernel, disk, versions.

###############################################################################

use warnings;
use strict;

use Exporter qw/ import /;
use POSIX ();
use Time::HiRes qw/ time /;

use Test::Registry qw/ nginx_binary /;
use Test::Registry::Util qw/
    root_dir temp_dir read_file find_tool run_command clean_env
/;

our @EXPORT_OK = qw/ machine load /;

###############################################################################

# Lines of text.  $mib: how much is written to the disk to see how fast it is

sub machine {
    my ($mib) = @_;

    my $cpuinfo = read_file('/proc/cpuinfo');
    my ($model) = $cpuinfo =~ /^model name\s*:\s*(.*)$/m;
    my $cores = () = $cpuinfo =~ /^processor\s*:/mg;
    my ($kb) = read_file('/proc/meminfo') =~ /^MemTotal:\s+(\d+)/m;
    my (undef, undef, $kernel) = POSIX::uname();

    return (
        sprintf('%d cores (%s), %.0f GiB of memory, Linux %s', $cores,
            $model // 'unknown', $kb / 1048576, $kernel =~ s/-.*//r),
        join(', ', version('nginx', nginx_binary(), '-v'),
            version('versitygw', 'versitygw', '--version'),
            version('curl', 'curl', '--version'),
            version('wrk', 'wrk', '-v'),
            version('skopeo', 'skopeo', '--version'),
            version('Docker', 'docker', '--version')),
        (temp_dir() =~ m{^/dev/shm/}
            ? "data of S3, caches and what clients store are in memory"
            : 'data of S3 and caches are where TMPDIR is, not in memory')
            . '; ' . disk($mib)
    );
}


# Other work on the machine makes figures worthless; this says how much.

sub load {
    return (split ' ', read_file('/proc/loadavg'))[0];
}


sub version {
    my ($name, $program, @args) = @_;

    my $path = $program =~ m{/} ? $program : find_tool($program)
        // return ();
    my ($status, $output) = run_command([$path, @args], env => clean_env());

    return $output =~ /(\d+\.\d+[\w.]*)/ ? "$name $1" : ();
}


sub disk {
    my ($mib) = @_;

    my $file = root_dir() . "/build/disk.$$";
    my @rates;

    for (["if=/dev/zero", "of=$file", 'conv=fsync'],
        ["if=$file", 'of=/dev/null', 'iflag=direct'])
    {
        my $begun = time();
        my ($status, $output) = run_command([find_tool('dd'), 'bs=1M',
            "count=$mib", @$_], env => clean_env(), timeout => 600);

        push @rates, $status ? '?' : sprintf '%.0f',
            $mib * 1.048576 / (time() - $begun);
    }

    unlink $file;
    return "beside it, the disk takes $rates[0] MB/s (with fsync) and gives "
        . "$rates[1] MB/s";
}

###############################################################################

1;

###############################################################################
