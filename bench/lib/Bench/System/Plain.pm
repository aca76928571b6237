package Bench::System::Plain;

# Copyright (C) The ngx_registry_module authors

# nginx that serves the same files from where the S3 server has them, with the
# same nginx.conf: what the machine can do.

###############################################################################

use warnings;
use strict;

use parent -norequire, 'Bench::System';

use File::Path qw/ remove_tree /;

use Test::Registry;
use Test::Registry::Layout;

###############################################################################

# gateway: the Test::Registry::Gateway; manifests => { tag => digest }

sub start {
    my ($class, %opt) = @_;

    my $self = bless { %opt }, $class;
    my $t = $self->{t} = Test::Registry->new(workers => 2);
    my $dir = $t->dir;

    $self->{layout} = Test::Registry::Layout->new($opt{gateway});
    $self->{port} = $t->port;

    local $ENV{TEST_REGISTRY_LOG} = 'notice';

    $t->conf(<<"CONF")->start();
@{[ $> == 0 ? 'user root;' : '' ]}
pid $dir/nginx.pid;
error_log $dir/error.log notice;
worker_processes 2;
worker_rlimit_nofile 16384;
events {
    worker_connections 4096;
}
http {
    client_body_temp_path $dir/temp/c;
    proxy_temp_path $dir/temp/p;
    sendfile on;
    tcp_nopush on;
    access_log $dir/access.log;

    server {
        listen 127.0.0.1:$self->{port};
        default_type application/octet-stream;
        root @{[ $opt{gateway}->data_dir ]};
    }
}
CONF

    return $self;
}


sub blob_url {
    my ($self, $digest) = @_;

    return $self->base . '/' . $self->{layout}->blob_key($digest);
}


sub manifest_url {
    my ($self, $reference) = @_;

    return $self->blob_url($self->{manifests}{$reference} // $reference);
}


sub pids {
    my ($self) = @_;

    return ($self->{t}{pid}, $self->{t}->workers());
}


sub stop {
    my ($self) = @_;

    $self->{t}->stop();
    remove_tree($self->{t}->dir);
    return;
}

###############################################################################

1;

###############################################################################
