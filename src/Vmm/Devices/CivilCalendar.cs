namespace Vmm.Devices;

/// <summary>
/// The proleptic Gregorian calendar, as days since 1970-01-01. Years are counted from March, so that the leap day is a
/// year's last.
/// </summary>
internal static class CivilCalendar
{
    private const int DaysPerEra = 146_097; // 400 years
    private const int DaysFromMarchOfYearZero = 719_468; // 0000-03-01 to 1970-01-01

    /// <param name="year">0 or later.</param>
    /// <param name="month">1..12.</param>
    /// <param name="day">1..31; the 31st of a shorter month is in the next one.</param>
    public static long ToDays(int year, int month, int day)
    {
        long marchYear = month > 2 ? year : year - 1;
        long era = FloorDivide(marchYear, 400);
        long yearOfEra = marchYear - era * 400;
        int monthFromMarch = (month + 9) % 12;
        long dayOfYear = DaysBeforeMonth(monthFromMarch) + day - 1;
        return era * DaysPerEra + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - DaysFromMarchOfYearZero;
    }

    public static (long Year, int Month, int Day) FromDays(long days)
    {
        long shifted = days + DaysFromMarchOfYearZero;
        long era = FloorDivide(shifted, DaysPerEra);
        long dayOfEra = shifted - era * DaysPerEra;
        // Takes the leap days out: one every 4 years (1,460 days), none every 100 (36,524), one at the end of the era.
        long yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / (DaysPerEra - 1)) / 365;
        long dayOfYear = dayOfEra - (yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100);
        int monthFromMarch = 11;
        while (DaysBeforeMonth(monthFromMarch) > dayOfYear) monthFromMarch--;
        int month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
        return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, (int)(dayOfYear - DaysBeforeMonth(monthFromMarch)) + 1);
    }

    /// <summary>0 is Sunday. 1970-01-01 was a Thursday.</summary>
    public static int DayOfWeek(long days) => (int)(((days + 4) % 7 + 7) % 7);

    private static int DaysBeforeMonth(int monthFromMarch)
    {
        // March, May, July, August, October, December and January have 31 days.
        System.ReadOnlySpan<short> before = [0, 31, 61, 92, 122, 153, 184, 214, 245, 275, 306, 337];
        return before[monthFromMarch];
    }

    private static long FloorDivide(long value, long by) => value >= 0 ? value / by : -((by - 1 - value) / by);
}
