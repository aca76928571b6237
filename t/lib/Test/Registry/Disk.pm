package Test::Registry::Disk;

# Copyright (C) The ngx_registry_module authors

# Faults of a disk, and moments at which a process ends, step by step: a step
# is a rename, a link, a file that is removed or written to the disk, below a
# folder; with directories => 1 also one that is made or written to the disk.
#
#     my $disk = Test::Registry::Disk->new($folder);
#     my $t = Test::Registry->node($store, env => { $disk->env });
#
#     $disk->at(7, 'before');     # or 'after', or an errno
#     ... push ...
#     my $pid = $disk->stopped;   # the process that waits there
#
#     $disk->slow(200);           # milliseconds for each read and write

###############################################################################

use warnings;
use strict;

use FindBin;

use Test::Registry::Util qw/
    temp_dir write_file read_file run_command wait_for
/;

my $Count = 0;

###############################################################################

sub new {
    my ($class, $below) = @_;

    my $dir = temp_dir('disk-' . $Count++);
    my $self = bless { dir => $dir, below => $below }, $class;

    my ($status, $output) = run_command([qw/ gcc -shared -fPIC -O1 -o /,
        "$dir/disk_fault.so", "$FindBin::Bin/lib/Test/Registry/disk_fault.c",
        '-ldl']);
    die "disk_fault.c: $output\n" if $status;

    $self->clear();
    return $self;
}


sub env {
    my ($self) = @_;

    return (LD_PRELOAD => "$self->{dir}/disk_fault.so",
        DISK_FAULT => "$self->{dir}/fault",
        DISK_FAULT_BELOW => $self->{below});
}


sub clear { $_[0]->at(0, 0) }


sub at {
    my ($self, $step, $action, %opt) = @_;

    $action = { before => -1, after => -2 }->{$action} // $action;

    # what is mapped must stay the same file
    my $file = "$self->{dir}/fault";
    write_file($file, '') unless -e $file;
    open my $fh, '+<:raw', $file or die "$file: $!\n";
    syswrite $fh, pack 'iiiiiia48', $action, $step, 0, 0,
        $opt{directories} ? 1 : 0, $opt{delay} // 0, '';
    close $fh;
    return $self;
}


sub slow { $_[0]->at(0, 0, delay => $_[1]) }


sub state {
    my ($self) = @_;

    my %state;
    @state{qw/ action at count pid directories delay what /}
        = unpack 'iiiiiiZ48',
        read_file("$self->{dir}/fault");
    return \%state;
}


# The process that has reached the step, or undef.

sub stopped { my ($self) = @_;
    return $self->state->{pid} || undef;
}


sub what { $_[0]->state->{what} }

###############################################################################

1;

###############################################################################
