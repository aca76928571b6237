package Bench::Report;

# Copyright (C) The ngx_registry_module authors

# Writes what was measured: tables in Markdown, a plot of each by gnuplot.

###############################################################################

use warnings;
use strict;

use File::Path qw/ make_path /;

use Test::Registry::Util qw/
    find_tool run_command clean_env write_file read_file
/;

use Bench::Goals;
use Bench::System qw/ system_title /;

###############################################################################

# The whole text.  plots: where they are, as seen from the text; machine: its
# lines; how: a line about the run

sub markdown {
    my ($results, %opt) = @_;

    my @parts = ($opt{how}, join "\n", map { "* $_" } @{$opt{machine}});

    push @parts, goals($results);

    for my $table ($results->tables) {
        push @parts, "### $table->{title}", $table->{note} // (),
            rows($results, $table);
        push @parts, "![$table->{title}]($opt{plots}/$table->{id}.svg)"
            if $opt{plots} && plotted($results, $table);
    }

    my $failures = $results->failures;

    push @parts, '### What failed', join "\n", map {
        my $why = $failures->{$_} =~ s/\s+/ /gr;
        "* $_: $why"
    } sort keys %$failures if %$failures;

    return join("\n\n", @parts) . "\n";
}


sub rows {
    my ($results, $table) = @_;

    my $id = $table->{id};
    my @rows = ("| $table->{unit} | min | median | max | ours is |",
        '|---|---|---|---|---|');

    my $base = $table->{base} // 'ours';

    for my $name (names($results, $table)) {
        my $times = $name eq $base ? undef
            : $results->advantage($table, $name, $base);

        push @rows, '| ' . join(' | ', title($table, $name),
            (map { figure($results->$_($id, $name)) }
                qw/ min median max /),
            !$times ? ''
                : sprintf '%s times as good', figure($times)) . ' |';
    }

    return join "\n", @rows;
}


# The systems of a table in their order, and what they are called.

sub names {
    my ($results, $table) = @_;

    return $results->systems($table->{id},
        @{$table->{order} // \@Bench::System::NAMES});
}


sub title {
    my ($table, $name) = @_;

    return $table->{titles}{$name} // system_title($name);
}


sub goals {
    my ($results) = @_;

    my @rows;

    for my $goal (Bench::Goals::all()) {
        my $value = $goal->{value}->($results);
        next unless defined $value;

        my ($bound, $limit) = defined $goal->{least}
            ? ('at least', $goal->{least}) : ('at most', $goal->{most});
        my $met = $bound eq 'at least' ? $value >= $limit : $value <= $limit;

        push @rows, '| ' . join(' | ', $goal->{text}, "$bound $limit",
            figure($value), $met ? 'yes' : '**no**') . ' |';
    }

    return () unless @rows;
    return ('### Aims', join "\n", '| of medians | aim | measured | met |',
        '|---|---|---|---|', @rows);
}


sub figure {
    my ($value) = @_;

    return '0' unless $value;

    return abs $value >= 100 ? sprintf '%.0f', $value
        : abs $value >= 10 ? sprintf '%.1f', $value
        : abs $value >= 0.1 ? sprintf '%.2f', $value : sprintf '%.4f', $value;
}

###############################################################################

sub plotted {
    my ($results, $table) = @_;

    return (() = $results->systems($table->{id})) > 1;
}


# SVG and PNG of each table: the median as a bar, from min to max a line.

sub plots {
    my ($results, $dir) = @_;

    make_path($dir);

    for my $table ($results->tables) {
        plot($results, $table, $dir) if plotted($results, $table);
    }

    return;
}


sub plot {
    my ($results, $table, $dir) = @_;

    my $id = $table->{id};
    my @names = names($results, $table);
    my $n = 0;

    write_file("$dir/$id.data", join '', map {
        my $title = title($table, $_) =~ s/(.{10,}?) /$1\\n/gr;
        sprintf qq(%d "%s" %s %s %s\n), $n++, $title,
            $results->median($id, $_), $results->min($id, $_),
            $results->max($id, $_)
    } @names);

    my $text = $table->{title} =~ s/'/''/gr;
    my $plot = "set title '$text' noenhanced\n"
        . "set ylabel '$table->{unit}' noenhanced\n"
        . "set boxwidth 0.6\nset style fill solid 0.6\nset yrange [0:*]\n"
        . "set grid ytics\nset bmargin 6\nset key off\nset xtics noenhanced\n"
        . "set xrange [-0.6:" . (@names - 0.4) . "]\n";

    for my $type (['svg', 'svg'], ['pngcairo', 'png']) {
        write_file("$dir/$id.gp", "set terminal $type->[0] size "
            . (180 + 140 * @names) . ",420 font 'sans,10'\n"
            . "set output '$dir/$id.$type->[1]'\n$plot"
            . "plot '$dir/$id.data' using 1:3:xtic(2) with boxes lc rgb "
            . "'#4477aa', '' using 1:3:4:5 with yerrorbars lc rgb 'black' "
            . "pt 7 ps 0 lw 2\n");

        my ($status, $output) = run_command([find_tool('gnuplot'),
            "$dir/$id.gp"], env => clean_env());
        warn "gnuplot: $output\n" if $status;
    }

    unlink "$dir/$id.gp", "$dir/$id.data";
    return;
}

###############################################################################

# Puts the text between the two marks of a document.

sub publish {
    my ($file, $text) = @_;

    my $document = read_file($file);

    $document =~ s{(<!-- the last run -->\n).*(<!-- end -->\n)}{$1\n$text\n$2}s
        or die "$file has no marks of the last run\n";

    write_file($file, $document);
    return;
}

###############################################################################

1;

###############################################################################
