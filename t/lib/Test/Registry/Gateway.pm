package Test::Registry::Gateway;

# Copyright (C) The ngx_registry_module authors

# A real S3: versitygw on a directory of the test, or the S3 that the
# environment names:
#
#     REGISTRY_TEST_S3_ENDPOINT, _BUCKET, _REGION, _ACCESS_KEY, _SECRET_KEY,
#     _SESSION_TOKEN, _PATH_STYLE (on)
#
# Each test works under a prefix of its own there and removes it at its end.

###############################################################################

use warnings;
use strict;

use parent 'Test::Registry::Bucket';
use Time::HiRes ();

use Test::Registry::Util qw/
    temp_dir free_port find_tool need spawn wait_port clean_env read_file
/;

my $Count = 0;

###############################################################################

# prefix; tls => [ certificate, key ]; local => 1: versitygw in any case,
# for tests that count or that no other S3 can be used in

sub new {
    my ($class, %opt) = @_;

    return $class->external(%opt)
        if length($ENV{REGISTRY_TEST_S3_ENDPOINT} // '') && !$opt{local}
            && !$opt{tls};

    need('versitygw');

    my $dir = temp_dir('gateway-' . $Count++);
    my $port = free_port();

    my $self = $class->SUPER::new(
        bucket => 'images', region => 'eu-central-1',
        access_key => 'AKIDGATEWAYGATEWAY00',
        secret_key => 'gateway/secret+key/gateway/secret+key/01',
        prefix => '', dir => $dir, port => $port,
        endpoint => ($opt{tls} ? 'https' : 'http') . "://127.0.0.1:$port",
        %opt);

    # the access log is read from where forget() left it
    $self->{seen} = 0;

    mkdir "$dir/data";
    mkdir "$dir/data/$self->{bucket}";
    $self->start();

    return $self;
}


sub external {
    my ($class, %opt) = @_;

    my %env = map { lc() => $ENV{"REGISTRY_TEST_S3_$_"} }
        qw/ ENDPOINT BUCKET REGION ACCESS_KEY SECRET_KEY /;

    for (sort keys %env) {
        die 'REGISTRY_TEST_S3_' . uc() . " is not set\n"
            unless defined $env{$_};
    }

    my $self = $class->SUPER::new(%env,
        token => $ENV{REGISTRY_TEST_S3_SESSION_TOKEN},
        path_style => $ENV{REGISTRY_TEST_S3_PATH_STYLE} // 'on',
        owner => $$, external => 1);

    $self->{prefix} = join '/', "registry-test-$$-" . time,
        length($opt{prefix} // '') ? $opt{prefix} : ();

    return $self;
}


sub prefix { $_[0]{prefix} }
sub port { $_[0]{port} }
sub data_dir { "$_[0]{dir}/data/$_[0]{bucket}" }


# Tells one content of an object from another one.

sub version {
    my ($self, $key) = @_;

    return rand() if $self->{external};
    return join ' ', (Time::HiRes::stat($self->data_dir . "/$key"))[1, 7, 9];
}


sub start {
    my ($self) = @_;

    my @tls = $self->{tls}
        ? ('--cert', $self->{tls}[0], '--key', $self->{tls}[1]) : ();

    $self->{process} = spawn([find_tool('versitygw'), '--quiet',
        '--port', "127.0.0.1:$self->{port}", '--region', $self->{region},
        '--keep-alive', '--access-log', "$self->{dir}/access.log", @tls,
        'posix', "$self->{dir}/data"],
        log => "$self->{dir}/log",
        env => clean_env(ROOT_ACCESS_KEY => $self->{access_key},
            ROOT_SECRET_KEY => $self->{secret_key}));

    wait_port($self->{port}, 20)
        or die 'versitygw does not start: ' . read_file("$self->{dir}/log");
    return $self;
}


sub stop {
    my ($self) = @_;

    (delete $self->{process})->stop('TERM') if $self->{process};
    return $self;
}

###############################################################################

# Whether requests() can be asked.

sub counts { return !$_[0]{external} }


# Requests since the last forget(), by the access log: hashes of operation
# ("GetObject"), method, key, target, access_key, status, code.  Takes the
# filters of Test::Registry::S3.

sub requests {
    my ($self, %filter) = @_;

    die "only versitygw tells which requests it had\n" if $self->{external};

    require Test::Registry::S3;

    my @requests;
    my $log = read_file("$self->{dir}/access.log");

    for (split /\n/, substr $log, $self->{seen}) {

        # keys may have blanks in them
        my ($access_key, $operation, $key, $target, $status, $code) =
            m{^\S+\ \S+\ \[[^\]]*\]\ \S+\ (\S+)\ \S+\ \w+?_(\w+)\ (.*?)
              \ (/\S*)\ (\d+)\ (\S+)\ }x or next;

        push @requests, {
            access_key => $access_key, operation => $operation,
            key => $key eq '-' ? '' : $key, target => $target,
            status => $status, code => $code eq '-' ? '' : $code,
            method => $operation =~ /^(Get|List)/ ? 'GET'
                : $operation =~ /^Head/ ? 'HEAD'
                : $operation =~ /^(DeleteObjects$|(Create|Complete)Multi)/
                ? 'POST' : $operation =~ /^(Delete|Abort)/ ? 'DELETE' : 'PUT'
        };
    }

    return grep { Test::Registry::S3::matches($_, \%filter) } @requests;
}


sub count { my ($self, @filter) = @_;
    return scalar(() = $self->requests(@filter));
}


sub forget {
    my ($self) = @_;

    $self->{seen} = -s "$self->{dir}/access.log" // 0
        unless $self->{external};
    return $self;
}


sub DESTROY {
    my ($self) = @_;

    return unless $self->{external} && $self->{owner} == $$;

    eval {
        $self->delete($_) for $self->keys($self->{prefix});
    };
    return;
}

###############################################################################

1;

###############################################################################
